// A page without a browser: web/upload.js with what a browser gives it. One run is the page from its loading to its end.
import fs from "node:fs";
import vm from "node:vm";

const [at, script, memory, path, pieces] = process.argv.slice(2);
const kept = new Map(fs.existsSync(memory) ? JSON.parse(fs.readFileSync(memory, "utf8")) : []);
const asked = [];
const ended = (told) => {
  fs.writeFileSync(memory, JSON.stringify([...kept]));
  console.log(JSON.stringify({ asked, told, kept: [...kept.keys()] }));
  process.exit(0);
};
const fetched = globalThis.fetch;
globalThis.localStorage = {
  getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key),
};
globalThis.fetch = async (place, how) => {
  if (how.method === "PATCH" && asked.filter(([method]) => method === "PATCH").length === Number(pieces)) ended("closed");
  asked.push([how.method, how.headers["Upload-Offset"] ?? null]);
  return fetched(new URL(place, at), how);
};
globalThis.emitEvent = (name, id) => ended(`${name} ${id}`);
vm.runInThisContext(fs.readFileSync(script, "utf8"));
const content = new Blob([fs.readFileSync(path)]);
const file = { name: "readings.bin", size: content.size, lastModified: 1767600000000, slice: (a, b) => content.slice(a, b) };
globalThis.send(file, { paused: false, ended: false, show() {} }).catch((error) => ended(error.message));
