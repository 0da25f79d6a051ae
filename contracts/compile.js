// Compiles the contracts with the solc of this folder's package-lock.json, and writes what users need next to them: build/NAME.json with ABI and bytecode.
//
//   npm ci --ignore-scripts && node compile.js            writes
//   npm ci --ignore-scripts && node compile.js --check    fails unless the same bytes stand there already
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const names = ["CairnRuns", "TestToken", "Thief"];
const folder = __dirname;

// Libraries are those of package-lock.json.
function readLibrary(place) {
    return { contents: fs.readFileSync(path.join(folder, "node_modules", place), "utf8") };
}

const sources = Object.fromEntries(names.map(name => [`${name}.sol`, { content: fs.readFileSync(path.join(folder, `${name}.sol`), "utf8") }]));
const output = JSON.parse(solc.compile(JSON.stringify({
    language: "Solidity",
    sources,
    settings: {
        viaIR: true,
        optimizer: { enabled: true, runs: 10000 },
        evmVersion: "cancun",
        metadata: { appendCBOR: false, bytecodeHash: "none" },
        outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
}), { import: readLibrary }));
// What the compiler warns of in a library is not ours to change: its guard uses transient storage as it should be used.
const faults = (output.errors ?? []).filter(fault => fault.severity === "error" || !fault.sourceLocation?.file.startsWith("@openzeppelin/"));
for (const fault of faults) {
    console.error(fault.formattedMessage);
}
if (faults.length > 0) {
    process.exit(1);
}

let differs = false;
for (const name of names) {
    const contract = output.contracts[`${name}.sol`][name];
    const built = JSON.stringify({ compiler: solc.version(), abi: contract.abi, bytecode: contract.evm.bytecode.object }, null, 2) + "\n";
    const place = path.join(folder, "build", `${name}.json`);
    if (process.argv.includes("--check")) {
        if (!fs.existsSync(place) || fs.readFileSync(place, "utf8") !== built) {
            console.error(`contracts/build/${name}.json is not what contracts/${name}.sol compiles to: run node compile.js and commit the result`);
            differs = true;
        }
    } else {
        fs.mkdirSync(path.dirname(place), { recursive: true });
        fs.writeFileSync(place, built);
    }
    console.log(`${name}: ${contract.evm.bytecode.object.length / 2} bytes`);
}
process.exit(differs ? 1 : 0);
