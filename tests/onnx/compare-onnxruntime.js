// SPDX-License-Identifier: LGPL-2.1-or-later
// compare-onnxruntime.js FOLDER: runs what onnx-samples wrote into FOLDER with
// ONNX Runtime. FOLDER/samples.json lists [{name, shape, output}]; of each
// there is NAME.onnx, and NAME.input and NAME.output, plain floats. Where
// `relative` is set, differences count as parts of the largest answer; `tolerance`
// is how large they may be; `optimised`: with all that ONNX Runtime can do.
// Exits 77 if ONNX Runtime does not load here, 1 if an answer differs.
'use strict';
const fs = require('fs');
const path = require('path');

const TOLERANCE = 1e-4;
const folder = process.argv[2];
let ort;
try {
  ort = require('onnxruntime-node');
} catch (error) {
  console.log(`skipped: ONNX Runtime does not load: ${error.message.split('\n')[0]}`);
  process.exit(77);
}

function floats(name) {
  const bytes = fs.readFileSync(path.join(folder, name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

async function difference(sample) {
  const session = await ort.InferenceSession.create(path.join(folder, sample.name + '.onnx'),
    { graphOptimizationLevel: sample.optimised ? 'all' : 'disabled', logSeverityLevel: 3, intraOpNumThreads: 1 });
  const input = new ort.Tensor('float32', floats(sample.name + '.input'), sample.shape);
  const outputs = await session.run({ [session.inputNames[0]]: input });
  const theirs = outputs[session.outputNames[0]];
  const ours = floats(sample.name + '.output');
  if (String(theirs.dims) !== String(sample.output) || theirs.data.length !== ours.length)
    throw new Error(`shape ${theirs.dims}, ours ${sample.output}`);
  let worst = 0, largest = 0;
  for (let i = 0; i < ours.length; i++) {
    const d = Math.abs(ours[i] - theirs.data[i]);
    if (!(d <= worst)) worst = d;  // NaN too
    if (!(Math.abs(theirs.data[i]) <= largest)) largest = Math.abs(theirs.data[i]);
  }
  return sample.relative ? worst / largest : worst;
}

async function main() {
  const samples = JSON.parse(fs.readFileSync(path.join(folder, 'samples.json')));
  let failed = 0, worst = 0;
  for (const sample of samples) {
    try {
      const d = await difference(sample);
      if (!sample.tolerance && !(d <= worst)) worst = d;
      if (d <= (sample.tolerance || TOLERANCE)) continue;
      console.log(`${sample.name}: differs by ${d}`);
    } catch (error) {
      console.log(`${sample.name}: ${error.message}`);
    }
    failed++;
  }
  console.log(`ONNX Runtime ${ort.env && ort.env.versions ? ort.env.versions.node : ''}: ` +
    `${samples.length - failed} of ${samples.length} networks agree, ` +
    `largest difference ${worst.toExponential(1)}`);
  process.exit(failed || !samples.length ? 1 : 0);
}

main();
