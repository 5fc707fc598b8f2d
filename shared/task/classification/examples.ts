/** How programs of other languages read what a classifier answers. */
import type { KindExamples } from '../examples.ts';

export const examples: KindExamples = {
  python: `def answer(outputs, model):
    """The most probable class, and how probable it is."""
    row = outputs["probabilities"][0]
    best = int(row.argmax())
    return {"class": model["classes"][best], "probability": round(float(row[best]), 6)}
`,
  javascript: `/** The most probable class, and how probable it is. */
function answer(outputs, model) {
  const row = [...outputs.probabilities.data];
  const best = row.indexOf(Math.max(...row));
  return { class: model.classes[best], probability: Number(row[best].toFixed(6)) };
}
`,
  csharp: `    // the most probable class, and how probable it is
    static string Answer(Dictionary<string, float[]> outputs, string[] classes, JsonElement metadata)
    {
        var row = outputs["probabilities"];
        var best = Array.IndexOf(row, row.Max());
        return $"{classes[best]} {row[best]:F6}";
    }
`,
};
