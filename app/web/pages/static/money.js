// Amounts of money. The API sends them as text; they are never made a binary number, neither to be added nor to be shown.

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

// "1234.50" in the reader's own way of writing, with as many decimals as it has.
export function money(amount, currency) {
  const decimals = DECIMAL.exec(amount)?.[3]?.length ?? 0;
  const format = { style: "currency", currency, minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return new Intl.NumberFormat(undefined, format).format(amount);
}

// The sum of amounts of one currency, as text.
export function sum(amounts) {
  const read = amounts.map((amount) => DECIMAL.exec(amount));
  const decimals = Math.max(0, ...read.map(([, , , part = ""]) => part.length));
  const units = read.map(([, sign, whole, part = ""]) => BigInt(sign + whole + part.padEnd(decimals, "0")));
  const total = units.reduce((one, other) => one + other, 0n);
  const digits = String(total < 0n ? -total : total).padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  return (total < 0n ? "-" : "") + digits.slice(0, cut) + (decimals ? `.${digits.slice(cut)}` : "");
}
