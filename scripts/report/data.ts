import { type RuleResult, ruleNames } from '../lib/insights/accesses.ts'
import type { Calibration } from '../lib/insights/calibration.ts'
import type { Details } from '../lib/runs/alerts.ts'
import type { Usual } from '../lib/runs/providers/history.ts'
import type { Provider } from '../lib/runs/providers/provider.ts'
import type { Request } from '../lib/runs/request.ts'
import type { Results, ScoreResult } from '../lib/runs/results.ts'
import type { Verdict } from '../lib/runs/verdicts.ts'

/** Everything that a report shows, as plain data. */
export interface ReportData {
  /** The run of the model. */
  readonly run: RunFacts
  readonly extracted: Extracted
  /** Absent while there is no model. */
  readonly trained?: Trained
  /** Absent while nothing has been scored. */
  readonly scored?: Scored
  /** The other run that was judged; absent for the holdout. */
  readonly judged?: { readonly run: RunFacts; readonly extracted: Extracted }
  /** The command that comes next when nothing has been scored. */
  readonly next: string
  /** Absent while nothing has been scored. */
  readonly questions?: Questions
}

export interface RunFacts
  extends Pick<Request, 'logs' | 'from' | 'to' | 'accounts' | 'regions'>,
    Pick<Results['stage'], 'objects' | 'bytes'> {
  readonly id: string
  /** As AWS writes it: CloudTrail. */
  readonly sourceName: string
  /** Estimate over all steps so far. */
  readonly usd: number
  readonly priceNote: string
}

export interface Extracted extends ExtractCounts {
  /** Events that did not become pairs, most first. */
  readonly dropped: readonly { readonly reason: string; readonly events: number }[]
}

type ExtractCounts = Pick<
  Results['extract'],
  'events' | 'pairs' | 'trainPairs' | 'holdoutPairs' | 'entities' | 'entity' | 'cutoff'
>

/** "Was this address, its /24, its /16 seen before for this entity?" */
export type Rule = (typeof ruleNames)[number]
export const rules: readonly Rule[] = ruleNames
export const ruleName: Record<Rule, string> = { ip: 'same address', net24: 'same /24', net16: 'same /16' }
export const shortName: Record<Rule, string> = { ip: 'IP', net24: '/24', net16: '/16' }
export const shortNameOfIpv6: Record<Rule, string> = { ip: 'IP', net24: '/48', net16: '/32' }

export interface Trained {
  /** How the model does on the holdout. Absent without a holdout that could be scored. */
  readonly calibrated?: Calibration
  readonly hyperparameters: readonly (readonly [name: string, value: string])[]
}

type ScoreCounts = Pick<
  ScoreResult,
  'of' | 'rank' | 'unseen' | 'sparse' | 'flagged' | 'allowed' | 'threshold' | 'alertsPerDay' | 'minEvents' | 'allow'
>

export interface Scored extends ScoreCounts {
  /** Distinct pairs that were judged, and of them those of IPv6, by evidence alone. */
  readonly judged: number
  readonly evidence: number
  readonly bins: readonly Bin[]
  readonly top: readonly Anomaly[]
  /** Pairs below the threshold in what is allowed, most anomalous first; many, not all. */
  readonly allowedTop: readonly Anomaly[]
  /** Absent when nothing is flagged, or nobody knows when the accesses were. */
  readonly timelines?: Timelines
  /** Entities that could not be judged, most accesses first; many, not all. */
  readonly unjudged: readonly Unjudged[]
  /** How many there are in all. */
  readonly unjudgedEntities: number
  /** How long a time was judged. */
  readonly days: number
  /** Absent where no attacks are known. */
  readonly attacks?: Attacks
  /** What scored in SageMaker, as text. */
  readonly by?: string
}

/** Accesses in slots of time, counted from 0; without empty ones, ascending. */
export type Slots = readonly (readonly [slot: number, accesses: number])[]

/** When one entity came from where. */
export interface Timeline {
  readonly entity: string
  /** Accesses of pairs that are not flagged, and of flagged ones. */
  readonly usual: Slots
  readonly odd: Slots
  readonly firstOdd?: string
}

/** When entities with flagged pairs came, over the window. */
export interface Timelines {
  readonly from: string
  readonly to: string
  readonly judgedFrom: string
  readonly slots: number
  /** That a slot covers. */
  readonly hours: number
  /** Most anomalous entity first. */
  readonly lines: readonly Timeline[]
  /** Those with flagged pairs, with a line or not. */
  readonly entities: number
}

/** Judged pairs with a value in [from, to): what they are ranked by, low is anomalous. */
export interface Bin {
  readonly from: number
  readonly to: number
  readonly normal: number
  readonly attack: number
}

export interface Anomaly extends Omit<Verdict, 'verdict' | 'dotProduct' | 'anomalyScore'> {
  readonly anomalyScore: number
  /** Where the entity usually comes from. */
  readonly usual: readonly Usual[]
  /** What the logs say about it; of the first alerts. */
  readonly details?: Details
}

export interface Unjudged {
  readonly entity: string
  readonly verdict: 'unseen-entity' | 'sparse-entity'
  /** How many. */
  readonly addresses: number
  /** The busiest of them. */
  readonly busiest: readonly { readonly ip: string; readonly accesses: number; readonly provider?: Provider }[]
  readonly accesses: number
}

/** Commands that follow an alert, each up to the word that names its entity or address. */
export interface Questions {
  /** What was done from an address. Absent where there are no logs. */
  readonly address?: string
  /** Where an entity came from, and when. Absent where there are no logs. */
  readonly entity?: string
  /** Scores again and allows an address. */
  readonly allow: string
}

/** How well labelled attacks were found. */
export interface Attacks {
  readonly kinds: readonly AttackKind[]
  /** Share of the flagged pairs that are attacks. */
  readonly precision: number
  /** Absent unless both attacks and other pairs were judged. */
  readonly curve?: Curve
}

/** How well the model tells attacks from the rest, at every threshold. */
export interface Curve {
  readonly auc: number
  /** From nothing flagged to all flagged. */
  readonly roc: readonly RocPoint[]
  /** Where the threshold lies on the curve. */
  readonly at: RocPoint
  /** Absent where it is unknown what was seen before. */
  readonly rules?: Readonly<Record<Rule, RuleResult>>
}

export interface AttackKind {
  readonly kind: string
  /** Distinct labelled pairs, judged or not. */
  readonly attacks: number
  readonly flagged: number
  /** How many each rule would find, on average, with as many alerts as were flagged. */
  readonly byRule?: Readonly<Record<Rule, number>>
}

/** Shares of the normal and of the attack pairs that are flagged. */
export interface RocPoint {
  readonly falsePositives: number
  readonly truePositives: number
}
