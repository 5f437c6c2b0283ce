import { useOverview } from "../api/hooks.ts";
import { hrefOf } from "../shell/route.ts";
import { StudyProgress } from "./study-progress.tsx";

/** All studies of the folder. */
export function StudyList() {
  const overview = useOverview();
  if (overview.value === undefined) return <p class="muted">Looking through the folder …</p>;
  const { folder, studies } = overview.value;
  return (
    <>
      <div class="head">
        <h1>Studies of {folder}</h1>
      </div>
      {studies.length === 0 ? (
        <p>
          There is no study here yet. <code>promptloss study run study.yaml</code> makes one; its folder is
          the study's <code>output</code>.
        </p>
      ) : (
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Study</th>
              <th scope="col">Folder</th>
              <th scope="col">Cells</th>
            </tr>
          </thead>
          <tbody>
            {studies.map((study) => (
              <tr key={study.id}>
                <th scope="row">
                  <a href={hrefOf("studies", [study.id])}>{study.name}</a>
                </th>
                <td data-name="Folder">{study.path}</td>
                <td data-name="Cells">
                  <span>
                    <StudyProgress study={study} />
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
