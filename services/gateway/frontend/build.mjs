/**
 * Writes the hashed front end: `node build.mjs OUT_DIR`.
 *
 * OUT_DIR gets app-<hash>.js, player-<hash>.js, kinodom-<hash>.css, sprite-<hash>.svg, favicon-<hash>.svg and
 * manifest.json, which maps the plain name to the hashed one. The folder is emptied of earlier builds first.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const SCRIPTS = { "app.js": "src/app.js", "player.js": "src/player.js" };
const STYLES = ["css/tokens.css", "css/kinodom.css", "css/more.css"];
const PICTURES = { "sprite.svg": "src/sprite.svg", "favicon.svg": "src/favicon.svg" };

/** @param {string} entry @returns {Promise<Uint8Array>} the bundle */
async function script(entry) {
  const made = await build({
    entryPoints: [path.join(here, entry)],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2021",
    legalComments: "inline",
    logLevel: "warning",
  });
  return made.outputFiles[0].contents;
}

/** @returns {Promise<Uint8Array>} the one stylesheet; layers are ordered by its first part */
async function styles() {
  const parts = await Promise.all(STYLES.map((name) => readFile(path.join(here, name), "utf8")));
  const made = await build({
    stdin: { contents: parts.join("\n"), loader: "css" },
    minify: true,
    write: false,
    target: ["chrome105", "safari16", "firefox121"],
  });
  return made.outputFiles[0].contents;
}

/** @param {string} name @param {Uint8Array} bytes @returns {string} the name with the hash of its bytes */
function hashed(name, bytes) {
  const { name: stem, ext } = path.parse(name);
  return `${stem}-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}${ext}`;
}

const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs OUT_DIR");
  process.exit(2);
}
await mkdir(out, { recursive: true });
for (const name of await readdir(out)) {
  if (/^(app|player|kinodom|sprite|favicon)-[0-9a-f]{12}\.(js|css|svg)$|^manifest\.json$/.test(name)) await rm(path.join(out, name));
}
const made = [["kinodom.css", await styles()]];
for (const [name, entry] of Object.entries(SCRIPTS)) made.push([name, await script(entry)]);
for (const [name, file] of Object.entries(PICTURES)) made.push([name, await readFile(path.join(here, file))]);
const manifest = Object.fromEntries(made.map(([name, bytes]) => [name, hashed(name, bytes)]).sort());
for (const [name, bytes] of made) await writeFile(path.join(out, manifest[name]), bytes);
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
