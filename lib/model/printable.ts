/** Text from elsewhere on its way to a terminal: control characters could move the cursor or split the line. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
