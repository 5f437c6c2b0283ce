// TensorBoard's event files, read by their frames and tags alone.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The steps of all records of a folder's files, the record that opens each file left out, in order. */
export function eventSteps(folder: string): number[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const bytes = readFileSync(join(folder, name));
      const steps: number[] = [];
      for (let at = 0; at + 12 <= bytes.length; at += 16 + Number(bytes.readBigUInt64LE(at))) {
        // wall_time is a tag and eight bytes, step a tag and a number in groups of seven bits.
        let [step, unit] = [0, 1];
        for (let place = at + 12 + 10; ; place++, unit *= 128) {
          step += (bytes[place]! & 127) * unit;
          if (bytes[place]! < 128) break;
        }
        steps.push(step);
      }
      return steps.slice(1);
    });
}
