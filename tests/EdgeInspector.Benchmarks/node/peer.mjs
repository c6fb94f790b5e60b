// ONNX Runtime in Node.js: the same models, tensors made once; a line in is one run, its milliseconds come back.
//   node peer.mjs FOLDER-WITH-NODE_MODULES DETECTOR CLASSIFIER|- CROPS
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";

const [folder, detectorFile, classifierFile, crops] = process.argv.slice(2);
process.env.ORT_DISABLE_TELEMETRY = "1";
const ort = createRequire(join(folder, "here.js"))("onnxruntime-node");

async function open(file, batch) {
  const session = await ort.InferenceSession.create(file);
  const name = session.inputNames[0];
  const shape = session.inputMetadata[0].shape.map((size) => (typeof size === "number" && size > 0 ? size : batch));
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5);
  const feeds = { [name]: new ort.Tensor("float32", values, shape) };
  return () => session.run(feeds);
}

const detect = await open(detectorFile, 1);
const classify = classifierFile === "-" ? undefined : await open(classifierFile, Number(crops));
const run = async () => {
  const began = performance.now();
  await detect();
  if (classify) {
    await classify();
  }
  return performance.now() - began;
};

await run();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  if (line) {
    console.log((await run()).toFixed(6));
  }
}
process.exit(0);
