// Offsets of the service count Unicode code points; JavaScript's strings count UTF-16 units, two for
// each code point beyond U+FFFF.

/** Cuts a text by offsets in code points. */
export class CodePoints {
  // Where each code point begins, in UTF-16 units, and where the last one ends.
  private readonly starts: number[] = [];

  constructor(private readonly text: string) {
    let at = 0;
    for (const point of text) {
      this.starts.push(at);
      at += point.length;
    }
    this.starts.push(at);
  }

  slice(start: number, end: number): string {
    return this.text.slice(this.starts[start], this.starts[end]);
  }
}
