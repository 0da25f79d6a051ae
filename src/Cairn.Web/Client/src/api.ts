// What the server says, and how to ask for it.

export interface Run {
  name: string; folder: string; rulesDigest: string; ledger: string; seed: number; preset: string; parameters: number; layers: number; dim: number;
  context: number; vocabulary: number; rounds: number; peersMax: number; innerSteps: number; batch: number; settleEvery: number; trainSamples: number;
  heldOutSamples: number; combination: string; speed: number; annealSamples: number; annealFrom: number;
}

export interface StageState { name: string; began?: string; seconds?: number; done: number; of: number }
export interface Note { time: string; round?: number; who?: string; what: string }

export interface Now {
  version: number; time: string; speed: number; caughtUp: boolean; failure?: string; round: number; rounds: number; stage: string; paused: boolean;
  finished: boolean; lastSign?: string; whom: string[]; whomCount: number; stages: StageState[]; before: StageState[]; roster: number; members: number;
  peersPresent: number; validatorsPresent: number; tokens: number; tokensPerSecond?: number; roundSeconds?: number; utilisation?: number; bytes: number;
  bytesPerUpdate?: number; compression?: number; height: number; tip: string; agreement: boolean; base?: string; lossFirst?: number; loss?: number;
  bitsPerByteFirst?: number; bitsPerByte?: number; curveGeneration: number; curvePoints: number; texts: number; baselines: number; logged: boolean; checkpoints: number; annealing: boolean;
  notes: Note[];
}

/** Points are tokens and loss. */
export interface Baseline { name: string; lossFinal?: number; bitsPerByteFinal?: number; sample?: string; points: [number, number][] }
/** Round (0: before the first), tokens, nats per token, bits per byte. */
export type Point = [number, number, number, number];
export interface CurvePiece { generation: number; from: number; points: Point[] }
export interface Sample { round: number; text: string }
export interface Reason { reason: string; times: number }

export interface Member {
  uid: number; name: string; role: string; since: number; active: boolean; left: boolean; inRoster: boolean; bond: number; reward: number; share: number;
  accepted: number; refused: number; rating?: number; score?: number; work?: number; trainLoss?: number; bytesSent: number; lastRefusal?: string;
  lastRefusalRound?: number; reasons: Reason[];
}

export interface Members { minted: number; unpaid: number; auditFund: number; burned: number; members: Member[] }
export interface PeerRound { round: number; counted: boolean; reason?: string; samples: number; bytes: number; rating?: number; score?: number; trainLoss?: number }
export interface Slash { round: number; uid: number; name: string; reason: string; amount: number; evidence: string }
export interface MemberDetail { member: Member; key: string; place: string; absentRounds: number; samples: number; rounds: PeerRound[]; slashes: Slash[]; contribution?: Contribution }

export interface LossChange { nats: number; standardError?: number }
export interface Contribution { rounds: number; contribution?: LossChange; leftOut?: LossChange; copies: number }

export interface RoundLine {
  round: number; roster: number; members?: number; samples: number; bytes: number; seconds?: number; loss?: number; bitsPerByte?: number; base?: string;
  manifest?: string; agreement: boolean; timeouts: number; settles: boolean; began?: string;
}

export interface Rounds { first: number; last: number; rounds: RoundLine[] }
export interface Operation { height: number; kind: string; uid: number; who: string; role: string; what: string; digest?: string; round?: number }
export interface ManifestLine { uid: number; name: string; object: string; bytes: number; weight: number; part: number }
export interface BaseLine { uid: number; name: string; role: string; digest: string; agrees: boolean }
export interface Evidence {
  validator: string; uid: number; peer: string; reason: string; score?: number; heldBack?: number; clearness?: number; work?: number; rating?: number; detail?: string;
}

export interface RoundDetail {
  round: RoundLine; stages: StageState[]; firstHeight: number; lastHeight: number; cut: boolean; operations: Operation[]; manifest: ManifestLine[];
  bases: BaseLine[]; evidence: Evidence[];
}

export interface Block { height: number; hash: string; previous: string; bytes: number; operations: Operation[] }
export interface Blocks { height: number; genesis: string; rules: string; tip: string; verified: boolean; failure?: string; blocks: Block[] }
export interface Hit { kind: string; title: string; where: string }
export interface Found { query: string; hits: Hit[] }
export interface CheckpointFile { name: string; bytes: number }
export interface Checkpoint {
  round: number; digest: string; state: 'here' | 'coming' | 'elsewhere' | 'gone'; bytes: number; loss?: number; bitsPerByte?: number; files: CheckpointFile[]; trouble?: string;
  evaluations: Evaluation[]; text?: string; textAtStart?: string; textCentral?: string;
}
export interface Evaluation {
  by: string; sequences: number; loss?: number; standardError?: number; bitsPerByte?: number;
  texts: { name: string; bitsPerByte?: number }[]; tasks: { task: string; metric: string; mean?: number; standardError?: number; count: number }[];
}

export interface Awaited { uid: number; name: string; role: string; for: string }
export interface NodeState {
  name: string; role?: string; applied: number; waitsFor: string; whom: string[]; sinceSeconds: number; trouble?: string; utilisation?: number; finished: boolean; halted: boolean;
}

export interface Waits {
  round: number; stage: string; paused: boolean; finished: boolean; quietSeconds?: number; stageSecondsMax: number; whom: Awaited[]; nodes: NodeState[]; notes: Note[];
}

export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(`./api/${path}`, { signal: signal ?? null });
  if (!answer.ok) throw new Error(await reasonOf(answer));
  return (await answer.json()) as T;
}

/** Has a checkpoint brought from the stores; answers when it is here, or with the reason why not. */
export async function bring(round: number): Promise<void> {
  const answer = await fetch(`./api/checkpoints/${round}/fetch`, { method: 'POST' });
  if (!answer.ok) throw new Error(await reasonOf(answer));
}

/** Talks to a checkpoint; the text comes in pieces. */
export async function talk(request: object, hear: (piece: string) => void, signal: AbortSignal): Promise<void> {
  const answer = await fetch('./api/talk', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(request), signal });
  if (!answer.ok || !answer.body) throw new Error(await reasonOf(answer));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    hear(value);
  }
}

async function reasonOf(answer: Response): Promise<string> {
  try {
    return ((await answer.json()) as { error: string }).error;
  } catch {
    return `The dashboard answered ${answer.status}.`;
  }
}
