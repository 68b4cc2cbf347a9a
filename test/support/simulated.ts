import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { type Settings, settingsText } from '../../scripts/simulate/settings.ts'
import { simulate } from '../../scripts/simulate/simulate.ts'
import { ROOT } from './run-script.ts'

export interface SimulatedOptions extends Partial<Omit<Settings, 'window'>> {
  readonly from?: string
  readonly to?: string
}

/** Two days of 24 users in two accounts, some 2,000 events of each source. */
function smallSettings({ from = '2026-03-02', to = '2026-03-04', ...others }: SimulatedOptions = {}): Settings {
  const window = { from: new Date(from), to: new Date(to) }
  return { seed: 1, users: 24, accounts: 2, sources: ['cloudtrail', 'waf'], events: 2000, ...others, window }
}

const CACHE = join(ROOT, 'node_modules/.cache/prestage/simulated')

/** A simulated log folder, with `labels.csv` in it. Other test files and later runs share it: read it, never write into it. */
export function simulatedLogs(options: SimulatedOptions = {}): Promise<string> {
  const settings = smallSettings(options)
  return cached(options, 'all', async (draft) => {
    await simulate(draft, settings, silentContext(), { overwrite: false })
  })
}

/** The folder of a kind that is made of these settings once, and kept until the code that makes it changes. */
export async function cached(
  options: SimulatedOptions,
  kind: string,
  make: (draft: string) => Promise<void>,
): Promise<string> {
  const code = createHash('sha256').update(simulatorText()).digest('hex').slice(0, 16)
  const hash = createHash('sha256')
    .update(settingsText(smallSettings(options)))
    .digest('hex')
    .slice(0, 16)
  const folder = join(CACHE, code, `${kind}-${hash}`)
  if (existsSync(folder)) return folder
  mkdirSync(join(CACHE, code), { recursive: true })
  const draft = mkdtempSync(`${folder}-`)
  await make(draft)
  try {
    renameSync(draft, folder)
  } catch (error) {
    // Another process finished first; its folder has the same bytes.
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** The code that the bytes depend on besides the settings. */
const simulatorText = (): string =>
  ['scripts/simulate', 'scripts/lib/insights', 'test/support']
    .flatMap((room) => readdirSync(`${ROOT}${room}`).map((file) => `${ROOT}${room}/${file}`))
    .filter((path) => /scripts\/simulate\/|insights\/(random|ipv4)\.ts$|support\/few-objects\.ts$/.test(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
