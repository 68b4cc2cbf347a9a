import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { plainEnvironment } from '../support/run-script.ts'

export interface Measured {
  readonly stdout: string
  readonly stderr: string
  readonly seconds: number
  /** Processor time of the program and its threads, to a tenth of a second: other load changes it less. Undefined where the system does not say. */
  readonly cpuSeconds: number | undefined
  /** Largest resident set of the process; undefined where the system does not say. */
  readonly peakBytes: number | undefined
}

/** Runs a program to its end as a whole process. @throws Error when it ends with another code than expected */
export async function measured(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  expected = 0,
): Promise<Measured> {
  const started = performance.now()
  const child = spawn(program, args, { env: { ...plainEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  let peakBytes: number | undefined
  let cpuSeconds: number | undefined
  const timer = setInterval(() => {
    peakBytes = peakOf(child.pid) ?? peakBytes
    cpuSeconds = cpuOf(child.pid) ?? cpuSeconds
  }, 50)
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(timer)
  if (code !== expected) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr}`)
  return { stdout, stderr, seconds: (performance.now() - started) / 1000, cpuSeconds, peakBytes }
}

function peakOf(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

/** The kernel counts in hundredths of a second (man 5 proc, the 14th and 15th field of stat). */
function cpuOf(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}
