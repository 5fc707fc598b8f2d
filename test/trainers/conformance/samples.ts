/** What jobs of each task kind learn from: colours on noise, which any trainer tells apart. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { createRandom, type Random } from '../../random.ts';

export interface Sample {
  md5: string;
  bytes: Buffer;
  split: 'train' | 'validation';
  /** what the manifest says it shows */
  annotation: object;
}

const colours = { red: [220, 50, 50], green: [50, 220, 50], blue: [50, 50, 220], rest: [130, 130, 130] };
type Colour = keyof typeof colours;

interface Rectangle {
  class: Colour;
  x: number;
  y: number;
  width: number;
  height: number;
}

interface TaskOfJobs {
  classes: Colour[];
  /** width and height of its pictures */
  size: [number, number];
  /** what the picture of a number shows: rectangles of colour, and how the manifest says so */
  show(index: number, random: Random): { rectangles: Rectangle[]; annotation: object };
}

/** Task kinds whose trainers can be tried. */
export const tasksOfJobs: Record<string, TaskOfJobs> = {
  classification: {
    classes: ['red', 'green', 'blue', 'rest'],
    size: [40, 40],
    show(index) {
      const { classes } = tasksOfJobs['classification'] as TaskOfJobs;
      const label = classes[index % classes.length] ?? 'rest';
      return { rectangles: [{ class: label, x: 4, y: 4, width: 32, height: 32 }], annotation: { label } };
    },
  },
  detection: {
    classes: ['red', 'green', 'blue'],
    // wider than high, so that a letterbox is one
    size: [96, 64],
    show(index, random) {
      // one of nine is a negative picture, and no object covers another
      const rectangles = index % 9 === 8 ? [] : [0, 48].map((left) => rectangleIn(left, 48, 64, random));
      return { rectangles, annotation: { boxes: rectangles } };
    },
  },
};

/** An object that is whole within a part of a picture. */
function rectangleIn(left: number, partWidth: number, partHeight: number, random: Random): Rectangle {
  const [width, height] = [random.between(16, 32), random.between(16, 32)];
  return {
    class: random.pick(['red', 'green', 'blue']),
    x: left + random.between(0, partWidth - width),
    y: random.between(0, partHeight - height),
    width,
    height,
  };
}

/** so many pictures are made; a later one is one of them with a number behind its last byte, where no decoder looks */
const distinct = 64;

async function draw([width, height]: [number, number], rectangles: Rectangle[], random: Random): Promise<Buffer> {
  const pixels = Buffer.from(Array.from({ length: width * height * 3 }, () => 110 + random.between(0, 40)));
  for (const { class: colour, ...box } of rectangles) {
    for (let y = box.y; y < box.y + box.height; y++)
      for (let x = box.x; x < box.x + box.width; x++)
        for (let channel = 0; channel < 3; channel++)
          pixels[(y * width + x) * 3 + channel] = (colours[colour][channel] ?? 0) + random.between(-20, 20);
  }
  const raw = { width, height, channels: 3 } as const;
  return sharp(pixels, { raw }).png().toBuffer();
}

/** Makes `count` different samples of a task kind, of which every fourth is for validation; the same ones each time. */
export async function makeSamples(task: string, count: number): Promise<Sample[]> {
  const kind = tasksOfJobs[task];
  if (kind === undefined) throw new Error(`jobs can be for ${Object.keys(tasksOfJobs).join(', ')}, and not ${task}`);
  const drawn = await Promise.all(
    Array.from({ length: Math.min(count, distinct) }, async (_, index) => {
      const random = createRandom(index);
      const { rectangles, annotation } = kind.show(index, random);
      return { annotation, picture: await draw(kind.size, rectangles, random) };
    }),
  );
  return Array.from({ length: count }, (_, index) => {
    const { annotation, picture } = drawn[index % distinct] as (typeof drawn)[number];
    const bytes = index < distinct ? picture : Buffer.concat([picture, Buffer.from(String(index))]);
    const md5 = createHash('md5').update(bytes).digest('hex');
    return {
      md5,
      bytes,
      annotation,
      split: Math.floor(index / kind.classes.length) % 4 === 3 ? 'validation' : 'train',
    };
  });
}
