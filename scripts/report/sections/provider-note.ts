import { type Html, html, strange } from '../../lib/html/html.ts'
import { type PairProvider, providerBefore, providerText } from '../../lib/runs/providers/provider.ts'

/** Whose network an address is in, and whether its entity came from there before. */
export const providerNote = (provider: PairProvider | undefined): Html | undefined =>
  provider &&
  html` <small class="provider">${strange(providerText(provider), 60)}${provider.before !== undefined && html`; <span class="${provider.before === 0 ? 'never' : 'before'}">${providerBefore(provider)}</span>`}</small>`
