import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, scriptPath } from '../support/run-script.ts'
import { benchEndpoint, describeEndpoint } from './endpoint.ts'
import { benchExtract, describeExtract } from './extract.ts'
import { benchList, describeList } from './list.ts'
import { benchManifest, describeManifest } from './manifest.ts'
import { benchScore, describeScore } from './score.ts'
import { benchTrain, describeTrain } from './train.ts'

/** All figures, side by side in one run; machines are noisy, so ratios are what counts. */
const say = (text: string) => process.stdout.write(`${text}\n`)

say(describeExtract(await benchExtract()))
say(describeList(await benchList()))
say(describeManifest(await benchManifest()))
say(describeScore(await benchScore()))
say(describeEndpoint(await benchEndpoint()))
say(describeTrain(await benchTrain()))

const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
const started = performance.now()
const { code } = await runProgram(process.execPath, [scriptPath('pipeline'), '--demo'], { cwd: folder })
say(`demo: ${((performance.now() - started) / 1000).toFixed(1)} s, exit code ${code}`)
rmSync(folder, { recursive: true, force: true })
if (code !== 0) process.exitCode = 1
