import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, scriptPath } from '../support/run-script.ts'
import { benchEndpoint, describeEndpoint } from './endpoint.ts'
import { benchExtract, benchText, describeExtract } from './extract.ts'
import { benchJob, benchLarge, describeJob } from './job.ts'
import { benchList, describeList } from './list.ts'
import { benchManifest, describeManifest } from './manifest.ts'
import { benchScore, describeScore } from './score.ts'
import { benchTrain, describeTrain } from './train.ts'

/** What is measured without a name, side by side in one run; machines are noisy, so ratios are what counts. */
const USUAL = {
  extract: async () => describeExtract(await benchExtract()),
  text: async (...sources: string[]) => describeExtract(await benchText(sources.length > 0 ? sources : undefined)),
  list: async () => describeList(await benchList()),
  score: async () => describeScore(await benchScore()),
  endpoint: async () => describeEndpoint(await benchEndpoint()),
  train: async () => describeTrain(await benchTrain()),
  demo,
}

/** What takes minutes each, only by its name. */
const LONG = {
  job: async (size?: string) => describeJob(await benchJob(size)),
  large: async (size?: string) => describeJob(await benchLarge(size)),
  manifest: async (days?: string) =>
    describeManifest(await benchManifest(days === undefined ? undefined : Number(days))),
}

async function demo(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const started = performance.now()
    const { code } = await runProgram(process.execPath, [scriptPath('pipeline'), '--demo'], { cwd: folder })
    if (code !== 0) process.exitCode = 1
    return `demo: ${((performance.now() - started) / 1000).toFixed(1)} s, exit code ${code}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// npm run bench [-- name [size, days or sources]]
const parts: Readonly<Record<string, (...args: string[]) => Promise<string>>> = { ...USUAL, ...LONG }
const [name, ...args] = process.argv.slice(2)
const wanted = name === undefined ? Object.keys(USUAL) : [name]
for (const one of wanted) {
  const part = parts[one]
  if (part === undefined) throw new Error(`no part ${one}: there are ${Object.keys(parts).join(', ')}`)
  process.stdout.write(`${await part(...args)}\n`)
}
