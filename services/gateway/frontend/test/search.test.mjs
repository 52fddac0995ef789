import assert from "node:assert/strict";
import { test } from "node:test";
import { mayBeShown } from "../src/search.js";

const order = ["heavy", "middle", "light"];

test("rows of a quick light source wait for a heavier one, and then come in the order of the weights", () => {
  assert.deepEqual(mayBeShown(order, new Set(["heavy", "middle"]), new Set(["light"]), false), []);
  assert.deepEqual(mayBeShown(order, new Set(["middle"]), new Set(["light", "heavy"]), false), ["heavy"]);
  assert.deepEqual(mayBeShown(order, new Set(), new Set(["light", "middle"]), false), ["middle", "light"]);
});

test("nobody is waited for any longer than patience lasts", () => {
  assert.deepEqual(mayBeShown(order, new Set(["heavy"]), new Set(["light", "middle"]), true), ["middle", "light"]);
});
