// llama.cpp beside us: loads a GGUF file and evaluates when told to. One line in, one line of JSON out.
//
//   prompt LENGTH          a text of that many tokens, the logits after the last
//   streams COUNT STEPS    so many texts, each one token further a step, the logits after every token
//
// Arguments: the folder with node_modules, the model, threads.
import path from "node:path";
import readline from "node:readline";
import {pathToFileURL} from "node:url";

const [modules, modelPath, threads] = process.argv.slice(2);
const {getLlama} = await import(pathToFileURL(path.join(modules, "node_modules", "node-llama-cpp", "dist", "index.js")).href);
const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: "error", maxThreads: Number(threads)});
const model = await llama.loadModel({modelPath, gpuLayers: 0, useMmap: true});
const streamsMax = 8;
const context = await model.createContext({contextSize: 1024, batchSize: 512, sequences: streamsMax, threads: Number(threads), flashAttention: false});
const sequences = Array.from({length: streamsMax}, () => context.getSequence());
const wanted = {generateNext: {token: true}};

const prompt = async (length) => {
    const [sequence] = sequences;
    await sequence.clearHistory();
    const ids = Array.from({length}, (_, at) => at % 250 + 2);
    return timed(() => sequence.controlledEvaluate(ids.map((id, at) => at < length - 1 ? id : [id, wanted])));
};

const streams = async (count, steps) => {
    const some = sequences.slice(0, count);
    for (const sequence of some)
        await sequence.clearHistory();
    const step = (id) => Promise.all(some.map((sequence, at) => sequence.controlledEvaluate([[(id + at) % 250 + 2, wanted]])));
    await step(0);
    return timed(async () => {
        for (let at = 1; at <= steps; at++)
            await step(at);
    });
};

const timed = async (work) => {
    const before = process.cpuUsage(), start = process.hrtime.bigint();
    await work();
    const wall = Number(process.hrtime.bigint() - start) / 1e9, {user, system} = process.cpuUsage(before);
    return {seconds: Number(threads) === 1 ? (user + system) / 1e6 : wall, wall};
};

console.log(JSON.stringify({peer: "llama.cpp, node-llama-cpp"}));
for await (const line of readline.createInterface({input: process.stdin})) {
    const [word, ...numbers] = line.split(" ");
    console.log(JSON.stringify(await (word === "prompt" ? prompt : streams)(...numbers.map(Number))));
}
process.exit(0);
