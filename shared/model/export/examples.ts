/** Programs beside an exported model, one for each of a few languages; what they make of its answer is the kind's part. */
import type { KindExamples } from '../../task/examples.ts';

/** onnxruntime in Python; Pillow resizes pictures almost as Darkroom does. */
const python = ({
  python: answer,
}: KindExamples): string => `"""Runs model.onnx with onnxruntime: pip install onnxruntime numpy pillow

python example.py             compares its answer to the golden input with the golden output
python example.py scan.jpg    answers for a picture
"""
import json
import sys

import numpy
import onnxruntime
from PIL import Image, ImageOps

model = json.load(open("model.json", encoding="utf-8"))
golden = json.load(open("golden.json", encoding="utf-8"))
image = model["image"]
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])


${answer}

def pixels(path):
    """The input for a picture, [1, channels, height, width]; Pillow's numbers differ from Darkroom's by a level or two."""
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    size = (image["width"], image["height"])
    if image.get("fit") == "letterbox":
        scale = min(size[0] / picture.width, size[1] / picture.height)
        filled = (max(1, int(picture.width * scale + 0.5)), max(1, int(picture.height * scale + 0.5)))
        whole = Image.new("RGB", size, (114, 114, 114))
        whole.paste(picture.resize(filled, Image.Resampling.LANCZOS), (0, 0))
        picture = whole
    else:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    values = numpy.asarray(picture.convert("L" if image["channels"] == 1 else "RGB"), dtype=numpy.float32)
    values = values.reshape(image["height"], image["width"], image["channels"]).transpose(2, 0, 1)
    if image.get("range") == "found":
        values = (values - values.min()) * 255 / max(1, values.max() - values.min())
    return values[numpy.newaxis]


def run(values):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": values})))


if len(sys.argv) > 1:
    print(json.dumps(answer(run(pixels(sys.argv[1])), model)))
else:
    shape = [1, image["channels"], image["height"], image["width"]]
    outputs = run(numpy.fromfile("golden.f32", dtype="<f4").reshape(shape))
    for name, wanted in golden["outputs"].items():
        numpy.testing.assert_allclose(outputs[name].ravel(), wanted["data"], rtol=1e-3, atol=1e-3)
    print("as golden", json.dumps(answer(outputs, model)))
`;

/** onnxruntime-web, which runs in browsers as in Node. */
const javascript = ({
  javascript: answer,
}: KindExamples): string => `// Runs model.onnx with onnxruntime-web: npm install onnxruntime-web, then: node example.mjs
// It compares the answer to the golden input with the golden output. In a browser fetch() the files instead.
import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';

const model = JSON.parse(await readFile('model.json', 'utf8'));
const golden = JSON.parse(await readFile('golden.json', 'utf8'));
const { channels, height, width } = model.image;

${answer}
/** Outputs by name for an input: channel by channel, row by row, 0 to 255. */
async function run(values) {
  const session = await ort.InferenceSession.create(new Uint8Array(await readFile('model.onnx')));
  return session.run({ input: new ort.Tensor('float32', values, [1, channels, height, width]) });
}

const outputs = await run(new Float32Array(new Uint8Array(await readFile('golden.f32')).buffer));
for (const [name, { data }] of Object.entries(golden.outputs))
  data.forEach((wanted, i) => {
    const found = outputs[name].data[i];
    if (!(Math.abs(found - wanted) <= 1e-3 + 1e-3 * Math.abs(wanted)))
      throw new Error(\`\${name}[\${i}] is \${found} and should be \${wanted}\`);
  });
console.log('as golden', JSON.stringify(answer(outputs, model)));
`;

/** ML.NET. */
const csharp = ({ csharp: answer }: KindExamples): string => `// Runs model.onnx with ML.NET:
//   dotnet new console -o example && cp model.onnx model.json golden.* example/ && cp example.cs example/Program.cs && cd example
//   dotnet add package Microsoft.ML.OnnxTransformer && dotnet add package Microsoft.ML.OnnxRuntime && dotnet run
// It compares the answer to the golden input with the golden output.
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

class Input
{
    [ColumnName("input")]
    public float[] Values { get; set; } = [];
}

class Example
{
${answer}
    static void Main()
    {
        var model = JsonDocument.Parse(File.ReadAllText("model.json")).RootElement;
        var golden = JsonDocument.Parse(File.ReadAllText("golden.json")).RootElement.GetProperty("outputs");
        var image = model.GetProperty("image");
        int Size(string name) => image.GetProperty(name).GetInt32();
        var shape = new[] { 1, Size("channels"), Size("height"), Size("width") };
        var classes = model.GetProperty("classes").EnumerateArray().Select(one => one.GetString()!).ToArray();
        var names = golden.EnumerateObject().Select(one => one.Name).ToArray();

        var ml = new MLContext();
        var schema = SchemaDefinition.Create(typeof(Input));
        schema["input"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, shape[1..]);
        var values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes("golden.f32")).ToArray();
        var data = ml.Data.LoadFromEnumerable(new[] { new Input { Values = values } }, schema);
        var shapes = new Dictionary<string, int[]> { ["input"] = shape };
        var onnx = ml.Transforms.ApplyOnnxModel(names, new[] { "input" }, "model.onnx", shapes);
        var answered = onnx.Fit(data).Transform(data);

        var outputs = names.ToDictionary(name => name, name => answered.GetColumn<float[]>(name).First());
        foreach (var name in names)
        {
            var wanted = golden.GetProperty(name).GetProperty("data").EnumerateArray().Select(one => one.GetSingle());
            foreach (var (should, found) in wanted.Zip(outputs[name]))
                if (!(Math.Abs(should - found) <= 1e-3 + 1e-3 * Math.Abs(should)))
                    throw new Exception($"{name}: {found} should be {should}");
        }
        Console.WriteLine("as golden " + Answer(outputs, classes, model.GetProperty("metadata")));
    }
}
`;

/** Asks the endpoint of the project, with curl. */
const curl = (project: string, number: number): string => `#!/bin/sh
# Asks Darkroom itself for the answer of this model version: API=https://.../api/v1 KEY=dk_... sh example.sh [picture]
set -eu
curl -sS --fail-with-body "$API/projects/${project}/score?model=${number}" \\
  -H "x-api-key: $KEY" -H 'content-type: application/octet-stream' --data-binary @"\${1:-golden.png}"
echo
`;

/** The programs by the name of their file. */
export const examplesOf = (kind: KindExamples, project: string, number: number): Record<string, string> => ({
  'example.py': python(kind),
  'example.mjs': javascript(kind),
  'example.cs': csharp(kind),
  'example.sh': curl(project, number),
});
