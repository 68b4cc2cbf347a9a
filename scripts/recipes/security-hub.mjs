#!/usr/bin/env zx
// Imports the findings of a run into AWS Security Hub with the AWS CLI, and shows what it does not take.

import { $, echo, expBackoff, fs, parseArgv, question, retry, tmpfile } from 'zx'
import { score } from '../prestage.mjs'

const HELP = `security-hub: import the findings of a run with the AWS CLI

  npx zx scripts/recipes/security-hub.mjs --run latest --findings-account 111122223333 --findings-region us-east-1

      --night FILE              what nightly printed with --output json: import what that night has found
      --findings-account ID     account whose Security Hub takes them (required)
      --findings-region REGION  its region (required)
      --yes                     import without a question
      --help                    show this help

All other options are those of score (see scripts/score.mjs --help).`

const strings = ['findings-account', 'findings-region', 'run', 'profile', 'night']
const { yes, help, night, _, ...options } = parseArgv(undefined, {
  camelCase: true,
  string: strings,
  boolean: ['help', 'yes'],
})
const { findingsRegion: region, profile } = options
const access = ['--region', region, ...(profile ? ['--profile', profile] : [])]

/** A file that the CLI can read: one in S3 is copied first. */
async function local(/** @type {string} */ uri) {
  if (!uri.startsWith('s3://')) return uri
  const file = tmpfile()
  await $`aws s3 cp ${uri} ${file} ${access}`.quiet()
  return file
}

/** Files with findings: of a night, or of a run. @returns {Promise<string[]>} */
async function written() {
  if (night === undefined) return (await score({ ...options, yes, findings: 'asff' })).findings.files
  const { sources } = fs.readJsonSync(night)
  const nights = Object.values(sources).flatMap((source) => source.nights)
  return nights.flatMap(({ judged }) => judged?.findings ?? [])
}

/** Imports one batch of findings. Returns how many were taken, and those that were not. */
async function imported(/** @type {string} */ file) {
  const answer = await retry(4, expBackoff('20s', '1s'), () =>
    $`aws securityhub batch-import-findings ${access} --findings ${`file://${file}`} --output json`.quiet(),
  )
  return /** @type {{ SuccessCount: number, FailedFindings?: Record<string, string>[] }} */ (answer.json())
}

if (help) echo(HELP)
else if (!region || !options.findingsAccount) {
  console.error('security-hub: --findings-account and --findings-region are missing\n  see --help')
  process.exitCode = 2
} else {
  const files = (await written()).filter((uri) => /asff-\d+\.json$/.test(uri))
  const batches = await Promise.all(files.map(local))
  const count = batches.reduce((sum, file) => sum + fs.readJsonSync(file).length, 0)
  echo(`${count} findings in ${batches.length} batches for ${options.findingsAccount}, ${region}`)
  if (count > 0 && !yes && !/^y/i.test(process.stdin.isTTY ? await question('import them? [y/N] ') : 'n')) {
    console.error('security-hub: nothing was imported; --yes imports without a question')
    process.exitCode = 3
  } else
    for (const file of batches) {
      const { SuccessCount, FailedFindings = [] } = await imported(file)
      echo(`${SuccessCount} imported`)
      for (const { Id, ErrorCode, ErrorMessage } of FailedFindings)
        console.error(`${Id}: ${ErrorCode}: ${ErrorMessage}`)
      if (FailedFindings.length > 0) process.exitCode = 1
    }
}
