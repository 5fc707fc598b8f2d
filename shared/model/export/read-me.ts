/** What stands beside an exported model for people: its ends, and what is done to a picture before it sees it. */
import type { ImageSpec } from '../../image/size.ts';
import type { ModelEnds } from '../../onnx/ends.ts';
import type { ModelDocument } from '../document.ts';

/** The steps from a picture to the input, in order; docs/preprocessing.md of Darkroom has each to the last bit. */
function stepsOf({ width, height, channels, range, shrinkOnLoad, fit }: ImageSpec): string[] {
  const size = `${width} by ${height} pixels`;
  return [
    `Decode it to 8 bits${range === 'found' ? ' (or 16, where it has them)' : ''}, and turn it as its EXIF orientation says.`,
    ...(shrinkOnLoad === true ? ['A JPEG at least four times as large may be made smaller while it is decoded.'] : []),
    'Convert it from its colour profile to sRGB, and lay what is transparent on white.',
    fit === 'letterbox'
      ? `Resize it with Lanczos (3 lobes) by s = min(${width} / its width, ${height} / its height) to whole pixels, put it at the top left of ${size}, and fill the rest with 114.`
      : `Resize it with Lanczos (3 lobes) to ${size}; its shape is not kept.`,
    channels === 1 ? 'Make it grey, by light.' : 'Take red, green and blue, each as a plane of its own.',
    range === 'found'
      ? 'Stretch its values so that the least becomes 0 and the greatest 255.'
      : 'Values are 0 to 255, as floats. Nothing else: normalisation is inside the model.',
  ];
}

const said = ({ outputs }: ModelEnds): string[] =>
  outputs.map(({ name, shape, are, range }) => {
    const within = range === undefined ? '' : `, from ${range.least} to ${range.most}`;
    return `- output \`${name}\`, float [N, ${shape.join(', ')}]: ${are}${within}`;
  });

/** The text of README.md. */
export function readMeOf(model: ModelDocument, ends: ModelEnds): string {
  const { pk: project, number, digest, task, image, version, lineage, classes } = model;
  const { channels, height, width } = image;
  const maker = lineage.origin === undefined ? `trained by ${lineage.trainer}` : `brought by ${lineage.origin.by}`;
  return `# Model ${number} of ${project}

A model for ${task} with ${classes.length} classes, ${maker}, judged on dataset version ${version.number}. SHA-256 of model.onnx: ${digest}.

| file                    | holds                                                                                     |
| ----------------------- | ----------------------------------------------------------------------------------------- |
| model.onnx              | the model                                                                                 |
| model.json              | what is known of it: classes, input, metadata, lineage                                    |
| labels.txt              | its classes, one a line, in the order of its outputs                                      |
| golden.png              | a computed picture                                                                        |
| golden.f32              | the input made of it: 32-bit floats, little-endian, channel by channel, row by row        |
| golden.json             | what Darkroom's onnxruntime answers to that input, and what that means in the picture     |
| example.py, .mjs, .cs   | onnxruntime for Python, onnxruntime-web, ML.NET: each compares its answer with the golden one |
| example.sh              | asks the project's endpoint for this model version, with curl                             |

## Ends

- input \`input\`, float [N, ${channels}, ${height}, ${width}]: values from 0 to 255
${said(ends).join('\n')}

N is the number of pictures.

## From a picture to the input

${stepsOf(image)
  .map((step, i) => `${i + 1}. ${step}`)
  .join('\n')}

Another library's resize differs by a level or two, which may change answers that are close. Make the input of golden.png with yours, and compare it with golden.f32.
`;
}
