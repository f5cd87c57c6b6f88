/** One line of the catalogue; what the fields mean stands there. */
export interface RefusalEntry {
  readonly http: number;
  readonly en: string;
  readonly zh: string;
  readonly retry: 'same-number' | 'new-number' | 'never';
  readonly actor: 'caller' | 'bank' | 'platform-operator' | 'nobody';
}
