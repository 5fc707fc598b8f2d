/** How programs of other languages read what a detector answers: class-wise suppression of what overlaps, in pixels of the input. */
import type { KindExamples } from '../examples.ts';

export const examples: KindExamples = {
  python: `def iou(a, b):
    """Intersection over union of two boxes x1, y1, x2, y2."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0, width) * max(0, height)
    return shared / max(1e-9, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def answer(outputs, model):
    """Boxes above the score threshold, in pixels of the input, without those that a surer one of their class covers."""
    said = model["metadata"]
    boxes, scores, found = outputs["boxes"][0], outputs["scores"][0], []
    for k, name in enumerate(model["classes"]):
        left = [i for i in numpy.argsort(-scores[:, k], kind="stable") if scores[i, k] >= said["scoreThreshold"]]
        while left:
            first, left = left[0], left[1:]
            left = [i for i in left if iou(boxes[first], boxes[i]) <= said["nmsIou"]]
            box = [round(float(value), 2) for value in boxes[first]]
            found.append({"class": name, "score": round(float(scores[first, k]), 4), "box": box})
    return sorted(found, key=lambda one: -one["score"])
`,
  javascript: `/** Intersection over union of two boxes x1, y1, x2, y2. */
function iou(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / Math.max(1e-9, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
}

/** Boxes above the score threshold, in pixels of the input, without those that a surer one of their class covers. */
function answer({ boxes, scores }, { classes, metadata }) {
  const box = (i) => [...boxes.data.slice(i * 4, i * 4 + 4)];
  return classes
    .flatMap((name, k) => {
      const score = (i) => scores.data[i * classes.length + k];
      const places = [...Array(boxes.dims.at(-2)).keys()].filter((i) => score(i) >= metadata.scoreThreshold);
      const kept = [];
      for (const i of places.sort((a, b) => score(b) - score(a)))
        if (kept.every((other) => iou(box(other), box(i)) <= metadata.nmsIou)) kept.push(i);
      return kept.map((i) => ({ class: name, score: Number(score(i).toFixed(4)), box: box(i).map((v) => Number(v.toFixed(2))) }));
    })
    .sort((a, b) => b.score - a.score);
}
`,
  csharp: `    static float Iou(float[] a, float[] b)
    {
        var width = Math.Min(a[2], b[2]) - Math.Max(a[0], b[0]);
        var height = Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]);
        var shared = Math.Max(0, width) * Math.Max(0, height);
        return shared / Math.Max(1e-9f, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
    }

    // boxes above the score threshold, in pixels of the input, without those that a surer one of their class covers
    static string Answer(Dictionary<string, float[]> outputs, string[] classes, JsonElement metadata)
    {
        var threshold = metadata.GetProperty("scoreThreshold").GetSingle();
        var most = metadata.GetProperty("nmsIou").GetSingle();
        var (boxes, scores) = (outputs["boxes"], outputs["scores"]);
        var found = new List<string>();
        for (var k = 0; k < classes.Length; k++)
        {
            var kept = new List<float[]>();
            var places = Enumerable.Range(0, boxes.Length / 4).Where(i => scores[i * classes.Length + k] >= threshold);
            foreach (var i in places.OrderByDescending(i => scores[i * classes.Length + k]))
            {
                var box = boxes.Skip(i * 4).Take(4).ToArray();
                if (kept.Any(other => Iou(other, box) > most)) continue;
                kept.Add(box);
                found.Add($"{classes[k]} {scores[i * classes.Length + k]:F4} [{string.Join(", ", box)}]");
            }
        }
        return string.Join("\\n", found);
    }
`,
};
