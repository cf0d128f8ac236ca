import { readFileSync } from "node:fs";
import { join } from "node:path";
import { measure } from "c/smsSegments";

// What the connector itself counts; a test in Python keeps the file true.
const VECTORS = JSON.parse(readFileSync(join(__dirname, "vectors.json"), "utf8"));

describe("measure", () => {
  it.each(VECTORS.map((vector) => [vector.name, vector]))("counts as the connector does: %s", (_, vector) => {
    const { encoding, segments, units, left } = vector;
    expect(measure(vector.text)).toEqual({ encoding, segments, units, left });
  });

  it("counts characters where the browser cannot tell clusters", () => {
    const segmenter = Intl.Segmenter;
    delete Intl.Segmenter;
    try {
      expect(measure("ж".repeat(71))).toEqual({ encoding: "ucs2", segments: 2, units: 71, left: 63 });
    } finally {
      Intl.Segmenter = segmenter;
    }
  });
});
