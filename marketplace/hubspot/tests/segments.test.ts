// Does the card count as the connector does? The vectors are made by the connector's own module.

import { describe, expect, test } from "vitest";
import { measure } from "../src/app/cards/conversation/segments";
import { replaceSmartCharacters } from "../src/app/cards/conversation/smart_characters";
import vectors from "./fixtures/segments.json" with { type: "json" };

describe("segments", () => {
  test.each(vectors.map((vector, index) => ({ index, ...vector })))("vector $index is measured alike", (vector) => {
    const { encoding, segments, characters, left } = vector;
    expect(measure(vector.text)).toEqual({ encoding, segments, characters, left });
  });

  test.each(vectors.map((vector, index) => ({ index, ...vector })))("vector $index is written alike", (vector) => {
    expect(replaceSmartCharacters(vector.text)).toBe(vector.plain);
  });

  test("an emoji of eleven code units is never torn", () => {
    const family = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}";
    expect(measure("я".repeat(60) + family)).toMatchObject({ segments: 2, left: 67 - 11 });
  });

  test("a browser without Intl.Segmenter still counts", () => {
    const kept = Intl.Segmenter;
    try {
      Object.assign(Intl, { Segmenter: undefined });
      expect(measure("я".repeat(71))).toMatchObject({ encoding: "ucs2", segments: 2, left: 63 });
    } finally {
      Object.assign(Intl, { Segmenter: kept });
    }
  });
});
