// A tus 1.0.0 client of the page's own: pieces with a checksum each, pause, and going on after a reload.
"use strict";
const PIECE = 8 * 1024 * 1024, HEAD = { "Tus-Resumable": "1.0.0" }, AGAIN = [500, 1000, 2000, 4000, 8000];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const memory = (file) => `carbonlake:${file.name}:${file.size}:${file.lastModified}`;

async function begin(file) {
  const known = localStorage.getItem(memory(file));
  if (known) {
    const there = await fetch(known, { method: "HEAD", headers: HEAD });
    if (there.ok) return known;
  }
  const made = await fetch("/api/uploads", { method: "POST", headers: { ...HEAD, "Upload-Length": String(file.size),
    "Upload-Metadata": `filename ${base64(new TextEncoder().encode(file.name))}` } });
  if (!made.ok) throw await refused(made);
  const place = new URL(made.headers.get("Location")).pathname;
  localStorage.setItem(memory(file), place);
  return place;
}

async function refused(answer) {
  const said = await answer.json().catch(() => ({ error: answer.statusText, remedy: "" }));
  return Object.assign(new Error(`${said.error} → ${said.remedy}`), { status: answer.status });
}

async function offset(place) {
  const there = await fetch(place, { method: "HEAD", headers: HEAD });
  if (!there.ok) throw new Error("the upload is not there any more");
  return Number(there.headers.get("Upload-Offset"));
}

async function send(file, row) {
  const place = await begin(file);
  row.place = place;
  for (let at = await offset(place), tried = 0; at < file.size && !row.ended; ) {
    row.show(at, file.size);
    if (row.paused) { await wait(200); continue; }
    try {
      const piece = await file.slice(at, at + PIECE).arrayBuffer();
      const digest = base64(new Uint8Array(await crypto.subtle.digest("SHA-256", piece)));
      const answer = await fetch(place, { method: "PATCH", body: piece, headers: { ...HEAD, "Upload-Offset": String(at),
        "Content-Type": "application/offset+octet-stream", "Upload-Checksum": `sha256 ${digest}` } });
      if (!answer.ok) throw await refused(answer);
      at = Number(answer.headers.get("Upload-Offset"));
      tried = 0;
    } catch (error) {  // a broken line, another sender, a piece that came damaged: ask where it stands, and go on
      if (tried === AGAIN.length || [404, 413, 507].includes(error.status)) throw error;
      await wait(AGAIN[tried++]);
      at = await offset(place).catch(() => at);
    }
  }
  if (row.ended) return;
  row.show(file.size, file.size);
  localStorage.removeItem(memory(file));
  emitEvent("uploaded", place.split("/").pop());
}

function rowOf(file, list, words) {
  const line = document.createElement("div"), name = document.createElement("span"), bar = document.createElement("progress");
  const said = document.createElement("span"), pause = document.createElement("button"), remove = document.createElement("button");
  line.style.cssText = "display:flex;gap:1em;align-items:center;margin:.3em 0";
  name.textContent = file.name;  // as text: a name is a stranger's
  pause.textContent = words.pause;
  remove.textContent = words.remove;
  const row = { paused: false, ended: false, place: "" };
  row.show = (at, size) => { bar.max = size || 1; bar.value = size ? at : 1; said.textContent = `${Math.floor(100 * at / (size || 1))} %`; };
  row.fail = (error) => { said.textContent = error.message; };
  pause.onclick = () => { row.paused = !row.paused; pause.textContent = row.paused ? words.resume : words.pause; };
  remove.onclick = () => { row.ended = true; line.remove(); localStorage.removeItem(memory(file));
    if (row.place) fetch(row.place, { method: "DELETE", headers: HEAD }); };
  line.append(name, bar, said, pause, remove);
  list.append(line);
  return row;
}

function takeUploads(zone, words) {
  const list = document.getElementById("uploads"), input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  const take = (files) => { for (const file of files) { const row = rowOf(file, list, words); send(file, row).catch(row.fail); } };
  zone.onclick = () => input.click();
  input.onchange = () => { take(input.files); input.value = ""; };
  zone.ondragover = (event) => { event.preventDefault(); zone.style.background = "#e8f3ec"; };
  zone.ondragleave = () => { zone.style.background = ""; };
  zone.ondrop = (event) => { event.preventDefault(); zone.style.background = ""; take(event.dataTransfer.files); };
}
