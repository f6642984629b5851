// qmd: files of Markdown in a collection, found by its BM25 search (no model is loaded).
//
//     node qmd.mjs PACKAGE fill FOLDER < PASSAGES
//     node qmd.mjs PACKAGE ask FOLDER < QUESTIONS
//
// PACKAGE is the folder that @tobilu/qmd is installed in. The index lies where the command `qmd
// search` looks for it when XDG_CACHE_HOME is the folder. Lines in and out are as in peer.py.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [place, command, folder] = process.argv.slice(2);
const { createStore } = await import(pathToFileURL(join(place, "dist/index.js")));
const dbPath = join(folder, "qmd/index.sqlite");
const lines = createInterface({ input: process.stdin });

if (command === "fill") {
  const path = join(folder, "passages");
  mkdirSync(path, { recursive: true });
  mkdirSync(join(folder, "qmd"), { recursive: true });
  for await (const line of lines) {
    const { id, title, text } = JSON.parse(line);
    writeFileSync(join(path, `${id}.md`), `# ${title}\n\n${text}\n`);
  }
  const store = await createStore({ dbPath, config: { collections: { passages: { path, pattern: "**/*.md" } } } });
  await store.update();
  await store.close();
} else {
  const store = await createStore({ dbPath });
  for await (const line of lines) {
    const found = await store.searchLex(line, { limit: 5 });
    console.log(JSON.stringify(found.map((hit) => [basename(hit.filepath, ".md"), hit.body])));
  }
  await store.close();
}
