// What stands around every view: navigation, the connection's state, the form for a key where the server asks for one.
import { useEffect } from "preact/hooks";
import { keyWanted } from "../api/key.ts";
import { connection } from "../api/live.ts";
import { VIEWS } from "../views.ts";
import { KeyForm } from "./key-form.tsx";
import { Problem } from "./problem.tsx";
import { hrefOf } from "./route.ts";
import { route } from "./router.ts";

export function Shell() {
  const view = VIEWS.find(({ name }) => name === (route.value.view || VIEWS[0]!.name));
  useEffect(() => {
    document.title = `${view?.title ?? "Not found"} · promptloss studio`;
  }, [view]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <header class="bar">
        <a class="brand" href={hrefOf(VIEWS[0]!.name)}>
          promptloss studio
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ name, title }) => (
            <a key={name} href={hrefOf(name)} aria-current={name === view?.name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <p class="connection" role="status">
          {connection.value === "lost" && "The server does not answer; trying again …"}
        </p>
      </header>
      <main id="main" tabIndex={-1}>
        {keyWanted.value !== false ? (
          <KeyForm />
        ) : view === undefined ? (
          <Problem
            title="There is no such page"
            text={`The studio has ${VIEWS.map(({ title }) => title).join(", ")}.`}
          />
        ) : (
          <view.Component key={view.name} path={route.value.path} />
        )}
      </main>
    </>
  );
}
