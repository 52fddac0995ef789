/**
 * Writes the hashed front end: `node build.mjs OUT_DIR`.
 *
 * OUT_DIR gets app-<hash>.js, player-<hash>.js, kinodom-<hash>.css, sprite-<hash>.svg, favicon-<hash>.svg, the parts of
 * the scripts that are loaded when they are needed, and manifest.json, which maps the plain name to the hashed one. The
 * folder is emptied of earlier builds first.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const SCRIPTS = { app: "src/app.js", player: "src/player.js" };
const PARTS = { "live.js": "src/player/live.js", "dash.js": "src/player/dash.js" }; // which a page may announce
const STYLES = ["css/tokens.css", "css/kinodom.css", "css/more.css"];
const PICTURES = { "sprite.svg": "src/sprite.svg", "favicon.svg": "src/favicon.svg" };

/** @returns {Promise<{names: Record<string, string>, files: [string, Uint8Array][]}>} scripts by plain name, and all files */
async function scripts() {
  const made = await build({
    entryPoints: Object.fromEntries(Object.entries(SCRIPTS).map(([name, entry]) => [name, path.join(here, entry)])),
    outdir: path.join(here, "dist"),
    absWorkingDir: here,
    entryNames: "[name]-[hash]",
    chunkNames: "part-[name]-[hash]",
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2021",
    legalComments: "inline",
    logLevel: "warning",
  });
  /** @type {Record<string, string>} */
  const names = {};
  for (const [file, facts] of Object.entries(made.metafile.outputs)) {
    const wanted = [...Object.entries(PARTS), ...Object.entries(SCRIPTS).map(([name, entry]) => [`${name}.js`, entry])];
    for (const [name, entry] of wanted) if (facts.entryPoint === entry) names[name] = path.basename(file);
  }
  return { names, files: made.outputFiles.map((file) => [path.basename(file.path), file.contents]) };
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
  if (/^(app|player|part-[a-z]+|kinodom|sprite|favicon)-[0-9A-Za-z]{8,12}\.(js|css|svg)$|^manifest\.json$/.test(name)) await rm(path.join(out, name));
}
const made = [["kinodom.css", await styles()]];
const { names, files } = await scripts();
for (const [name, file] of Object.entries(PICTURES)) made.push([name, await readFile(path.join(here, file))]);
const manifest = Object.fromEntries([...made.map(([name, bytes]) => [name, hashed(name, bytes)]), ...Object.entries(names)].sort());
for (const [name, bytes] of made) await writeFile(path.join(out, manifest[name]), bytes);
for (const [name, bytes] of files) await writeFile(path.join(out, name), bytes);
await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
