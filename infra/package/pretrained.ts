/** The pretrained backbone, with its licence and its origin; a bundle looks for it beside itself (shared/onnx/backbone.ts). */
export const pretrained = { source: 'shared/onnx/backbone', besideBundle: 'backbone' };
