/** What is due when: entries leave in the order of `due`, those of the same due in the order in which they came. */
export class Agenda<T> {
  readonly #entries: { readonly due: number; readonly what: T }[] = [];

  add(due: number, what: T): void {
    // Nearly everything comes in order, so that this seldom looks further than the end.
    let at = this.#entries.length;
    while (at > 0 && (this.#entries[at - 1] as { due: number }).due > due) at -= 1;
    this.#entries.splice(at, 0, { due, what });
  }

  /** Takes out all that is due at `now` or was before. */
  takeDue(now: number): T[] {
    let count = 0;
    while (count < this.#entries.length && (this.#entries[count] as { due: number }).due <= now) count += 1;
    return this.#entries.splice(0, count).map((entry) => entry.what);
  }
}
