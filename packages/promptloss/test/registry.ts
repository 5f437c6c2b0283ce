// What an empty project installs from, on this machine: a registry that has the packed packages and sends npm to the
// configured one for all others, and a mirror of PyTorch's wheels.
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";

export interface Registry {
  readonly url: string;
  /** What was asked of the mirror. */
  readonly wheelRequests: readonly string[];
  close(): void;
}

/** A published version's manifest, and its file. */
interface Published {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly file: string;
}

/**
 * @param packed a folder with a manifest `NAME.json` beside each packed `NAME.tgz`
 * @param upstream the registry for everything else
 * @param wheels the folder that the mirror serves
 */
export async function startRegistry(packed: string, upstream: string, wheels: string): Promise<Registry> {
  const packages = new Map(
    readdirSync(packed)
      .filter((name) => name.endsWith(".json"))
      .map((name): [string, Published] => {
        const manifest = JSON.parse(readFileSync(join(packed, name), "utf8")) as Published["manifest"];
        return [manifest.name, { manifest, file: join(packed, name.replace(/\.json$/, ".tgz")) }];
      }),
  );
  const wheelRequests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, url()).pathname);
    if (path.startsWith("/wheels/")) {
      wheelRequests.push(path);
      send(response, join(wheels, basename(path)));
    } else if (path.startsWith("/packed/")) {
      send(response, join(packed, basename(path)));
    } else if (packages.has(path.slice(1))) {
      response.end(JSON.stringify(describe(packages.get(path.slice(1))!)));
    } else if (path.startsWith("/@promptloss/")) {
      response.writeHead(404).end("{}");
    } else {
      response.writeHead(302, { location: new URL(request.url!.slice(1), upstream).href }).end();
    }
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const describe = ({ manifest, file }: Published): object => {
    const integrity = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
    const dist = { tarball: `${url()}packed/${basename(file)}`, integrity };
    const { name, version } = manifest;
    return { name, "dist-tags": { latest: version }, versions: { [version]: { ...manifest, dist } } };
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: url(),
    wheelRequests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function send(response: ServerResponse, file: string): void {
  response.writeHead(200, { "content-length": statSync(file).size });
  createReadStream(file).pipe(response);
}
