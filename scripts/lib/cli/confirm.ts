import { createInterface } from 'node:readline/promises'
import { Declined } from './errors.ts'
import { aboutUsd, printable } from './format.ts'

/** Something that spends money or deletes, as the user is asked about it. */
export interface Approval {
  /** What is about to happen, as a phrase: "copy 812 objects". */
  readonly action: string
  /** Lines of the plan. */
  readonly plan: readonly string[]
  readonly kind: 'spend' | 'delete'
  /** Estimate; the price table's date belongs in the plan. */
  readonly usd?: number
  /** Nobody is asked, since what spends it was approved before: only a `--max-cost` still bounds it. */
  readonly unasked?: boolean
  /** A name that must be typed instead of "y", for what cannot be brought back. */
  readonly typed?: string
}

export interface ConfirmSettings {
  readonly yes: boolean
  readonly maxCost: number | undefined
  /** False where a machine reads the result (`--output json`): it is never asked. */
  readonly interactive: boolean
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { isTTY?: boolean }
  readonly output: NodeJS.WritableStream & { isTTY?: boolean }
}

/**
 * Returns when the approval is given; throws Declined (exit 3) otherwise. `--yes` or a sufficient `--max-cost` answers ahead;
 * off a terminal nothing is ever asked, so a closed standard input can never be taken for consent.
 */
export async function confirm(
  approval: Approval,
  settings: ConfirmSettings,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<void> {
  const { maxCost } = settings
  if (settings.yes) return
  if (approval.kind === 'spend' && maxCost !== undefined && approval.usd !== undefined) {
    if (approval.usd <= maxCost) return
    throw new Declined(
      `${approval.action} would cost ${aboutUsd(approval.usd)}, more than --max-cost ${maxCost}`,
      'raise --max-cost, narrow the window, or answer with --yes',
    )
  }
  if (approval.unasked === true) return
  if (!settings.interactive || !terminal.input.isTTY || !terminal.output.isTTY)
    throw new Declined(
      `${approval.action} needs a confirmation, and nobody can be asked here`,
      approval.kind === 'spend' && approval.usd !== undefined ? 'add --yes, or --max-cost USD' : 'add --yes',
    )
  await ask(approval, terminal, signal)
}

async function ask(approval: Approval, terminal: Terminal, signal?: AbortSignal): Promise<void> {
  const { typed } = approval
  const question = typed === undefined ? `${approval.action}? [y/N] ` : `${approval.action}? Type ${typed} to go on: `
  // In its usual mode the terminal edits the line itself, and sends a signal for Ctrl-C.
  const readline = createInterface({ input: terminal.input, output: terminal.output, terminal: false })
  try {
    // A closed input ends the question without an answer: that is a no.
    const closed = new Promise<string>((resolve) => readline.once('close', () => resolve('')))
    const answer = await Promise.race([readline.question(printable(question), signal ? { signal } : {}), closed])
    const agreed = typed === undefined ? /^y(es)?$/i.test(answer.trim()) : answer.trim() === typed
    if (!agreed) throw new Declined('declined: nothing was changed')
  } finally {
    readline.close()
  }
}
