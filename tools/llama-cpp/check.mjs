// Reads a GGUF file with llama.cpp and compares what it gives with what Cairn says that it must give.
//
//   ./cairn checkpoint convert MODEL model.gguf --type f16
//   ./cairn checkpoint reference model.gguf --text README.md > reference.json
//   (cd tools/llama-cpp && npm ci --omit=optional --ignore-scripts)
//   node tools/llama-cpp/check.mjs model.gguf reference.json [--perplexity 0.001] [--near 0.001] [--modules DIR]
//
// The reference may be that of another file of the same model, such as the f32 one: then the perplexity tells what a smaller type costs.
// With quantised types llama.cpp rounds activations too: --near 0.1 ends the comparison of the continuation where logits are nearer than that.
// Prints one line of JSON and ends with 1 where ids, continuation or perplexity differ. --modules names the folder with node_modules, if it is not beside this script.
import fs from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";

const given = process.argv.slice(2);
const option = (name, otherwise) => {
    const at = given.indexOf(name);
    return at < 0 ? otherwise : given.splice(at, 2)[1];
};
const perplexityOff = Number(option("--perplexity", "0.001"));
const near = Number(option("--near", "0.001"));
const modules = path.resolve(option("--modules", import.meta.dirname));
const [modelPath, referencePath] = given;
if (!referencePath) {
    console.error("usage: node check.mjs MODEL.gguf REFERENCE.json [--perplexity PART] [--modules DIR]");
    process.exit(2);
}

const packageFolder = path.join(modules, "node_modules", "node-llama-cpp");
if (!fs.existsSync(packageFolder)) {
    console.error(`node-llama-cpp is not in ${modules}: run npm ci --omit=optional --ignore-scripts there`);
    process.exit(3);
}

const {getLlama} = await import(pathToFileURL(path.join(packageFolder, "dist", "index.js")).href);
const reference = JSON.parse(fs.readFileSync(referencePath, "utf8"));
const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: "error"});
const model = await llama.loadModel({modelPath, gpuLayers: 0, useMmap: true});

// Ids: every text must give the same.
const wrongTexts = [];
for (const {text, special, ids} of reference.texts) {
    const theirs = Array.from(model.tokenize(text, special));
    if (theirs.length !== ids.length || theirs.some((id, at) => id !== ids[at])) {
        wrongTexts.push({text: text.slice(0, 80), special, cairn: ids.slice(0, 20), llamaCpp: theirs.slice(0, 20)});
    }
}

// Logits after the tokens of a text.
const longest = Math.max(...reference.windows.map((window) => window.ids.length), reference.greedy.prompt.length + reference.greedy.ids.length);
const context = await model.createContext({contextSize: Math.min(model.trainContextSize, longest), batchSize: longest, sequences: 1, threads: 2, flashAttention: false});
const sequence = context.getSequence();
const logitsAfter = async (ids, from) => {
    await sequence.clearHistory();
    const results = await sequence.controlledEvaluate(ids.map((id, at) => at < from ? id : [id, {generateNext: {logits: true}}]));
    return results.slice(from).map((result) => result.next.logits);
};

// Perplexity over the same stretches of text, in double.
let sum = 0, count = 0, worst = 0;
for (const {ids, losses} of reference.windows) {
    const rows = await logitsAfter(ids.slice(0, -1), 0);
    for (let at = 0; at < rows.length; at++) {
        const values = Array.from(rows[at].values());
        const largest = Math.max(...values);
        const loss = Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0)) + largest - rows[at].get(ids[at + 1]);
        sum += loss;
        count++;
        worst = Math.max(worst, Math.abs(loss - losses[at]));
    }
}
const perplexity = Math.exp(sum / count);

// The likeliest continuation, until two tokens are so near that rounding may choose.
let same = 0, endedAt = null, differs = null;
const text = [...reference.greedy.prompt];
for (const [at, id] of reference.greedy.ids.entries()) {
    const [row] = await logitsAfter(text, text.length - 1);
    const [[best, first], [, second]] = Array.from(row.entries()).sort(([, a], [, b]) => b - a);
    if (reference.greedy.gaps[at] < near || first - second < near) {
        endedAt = at;
        break;
    }
    if (best !== id) {
        differs = {at, cairn: id, llamaCpp: best, gap: first - second};
        break;
    }
    text.push(id);
    same++;
}

const off = Math.abs(perplexity / reference.perplexity - 1);
console.log(JSON.stringify({
    texts: reference.texts.length, wrongTexts, tokens: count, perplexity, reference: reference.perplexity, off, worstLoss: worst, greedySame: same, greedyNearAt: endedAt, differs
}));
process.exit(wrongTexts.length === 0 && off <= perplexityOff && differs === null ? 0 : 1);
