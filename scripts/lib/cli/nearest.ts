import { distance } from 'fastest-levenshtein'

/** The candidate a user most likely meant by `word`, or undefined when none is close enough to be a typing slip. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 2))
  for (const candidate of candidates) {
    const d = candidate.startsWith(word) ? 1 : distance(word.toLowerCase(), candidate.toLowerCase())
    if (d < bestDistance || (d === bestDistance && best === undefined)) {
      best = candidate
      bestDistance = d
    }
  }
  return best
}

/** "did you mean X?" or, when nothing is near, the list of what is valid. */
export function suggestion(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates)
  return near === undefined ? `valid: ${candidates.join(', ')}` : `did you mean ${near}?`
}
