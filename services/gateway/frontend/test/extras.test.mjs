import assert from "node:assert/strict";
import { test } from "node:test";
import { dubsOf } from "../src/player/settings.js";
import { isLastEnding, skipAt } from "../src/player/skips.js";
import { cellAt, cellsOf } from "../src/player/sprites.js";

const VTT = `WEBVTT

00:00:00.000 --> 00:00:05.000
sprite-0.jpg#xywh=0,0,240,136

00:00:05.000 --> 01:02:15.500
sprite-12.jpg#xywh=240,136,240,136
`;

test("the file of small pictures is read, and each moment finds its picture", () => {
  const cells = cellsOf(VTT);

  assert.deepEqual(cells[1], { start_s: 5, end_s: 3735.5, sheet: "sprite-12.jpg", x: 240, y: 136, w: 240, h: 136 });
  assert.equal(cellAt(cells, 4.9)?.sheet, "sprite-0.jpg");
  assert.equal(cellAt(cells, 5)?.sheet, "sprite-12.jpg");
  assert.equal(cellAt(cells, 9999)?.sheet, "sprite-12.jpg");
  assert.equal(cellAt([], 5), null);
});

test("a file that leads elsewhere leads nowhere", () => {
  assert.deepEqual(cellsOf(VTT.replaceAll("sprite-", "https://else.example/sprite-")), []);
  assert.deepEqual(cellsOf("<html>"), []);
});

const skips = [{ kind: "opening", start_s: 10, end_s: 100 }, { kind: "ending", start_s: 1300, end_s: 1395 }];

test("a part is offered to be passed over while it plays and is worth it", () => {
  assert.equal(skipAt(skips, 9.9), null);
  assert.equal(skipAt(skips, 10)?.kind, "opening");
  assert.equal(skipAt(skips, 98.5), null);
});

test("an ending that runs to the end of the film makes way for the next one", () => {
  assert.equal(isLastEnding(skips, 1310, 1400), true);
  assert.equal(isLastEnding(skips, 1310, 1500), false);
  assert.equal(isLastEnding(skips, 50, 1400), false);
});

const dubs = [
  { text: "Kotelnaya", label: "Kotelnaya", checked: true },
  { text: "Prichal", label: "Prichal", checked: false, href: "/watch/x" },
  { text: "Chor", label: "Chor", checked: false, href: "/watch/y" },
];

test("a dub whose sound is here is taken without leaving the film, the others stay links", () => {
  const picked = [];
  const sounds = [{ id: 0, label: "Stereo", active: true }, { id: 1, label: "Prichal", active: false }];
  const film = { sounds: () => sounds, setSound: (id) => picked.push(id) };

  const choices = dubsOf(film, dubs);
  choices[1].pick();
  choices[0].pick();

  assert.deepEqual(picked, [1, 0]);
  assert.deepEqual(choices.map((one) => [one.checked, one.href]), [[true, undefined], [false, undefined], [false, "/watch/y"]]);
  assert.equal(dubsOf({ ...film, sounds: () => sounds.slice(1) }, dubs), dubs);
});
