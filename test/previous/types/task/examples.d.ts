/** How programs of other languages read what a model of a kind answers: the part of an exported model's examples that is the kind's. */
export interface KindExamples {
  /** `def answer(outputs, model)`: arrays of numpy by name, of one picture, and model.json; `numpy` is imported */
  python: string;
  /** `function answer(outputs, model)`: `{ dims, data }` by name, of one picture, and model.json */
  javascript: string;
  /** `static string Answer(...)` of C#: floats by name, of one picture, the classes, and `metadata` of model.json */
  csharp: string;
}
