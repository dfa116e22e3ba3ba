import type { Random } from "./random.ts";

export type Person = { id: string; name: string; email: string; ip: string; agent: string };
export type Thing = { type: string; id: string; name: string };

/** Who and what an org's story is about. */
export type Cast = { people: Person[]; admins: Person[]; documents: Thing[]; keys: Thing[] };

const NAMES = [
  "Jane Okafor",
  "Björn Åkesson",
  "María José Núñez",
  "李小龙",
  "Zoë O’Hara",
  "Đặng Thị Hương",
  "Марина Ковалёва",
  "فاطمة الزهراء",
  "Søren Kjærgård",
  "Priya Raghunathan",
  "佐藤 美咲",
  "Łukasz Wiśniewski",
  "Ana-Lucía Ibáñez",
  "Tom 🎸 Reyes",
  "Nguyễn Văn An",
  "Chloé Dubois",
];
const TOPICS = [
  "Q4 plan",
  "Board minutes",
  "Straße & Co. contract",
  "Salary bands",
  "Incident 2031",
  "Roadmap ✈",
  "Price list",
  "訪問記録",
];
const AGENTS = [
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/145.0",
  "Mozilla/5.0 (Linux; Android 16; Pixel 10) Chrome/142.0 Mobile",
  "northwind-ios/8.2.1",
];

export function castOf(org: string, size: number, random: Random): Cast {
  const people = NAMES.slice(0, size).map((name, n) => ({
    id: `u_${101 + n}`,
    name,
    email: `person${101 + n}@${org}.example`,
    ip: random.chance(0.2) ? `2001:db8::${random.hex(4)}` : `198.51.100.${1 + random.below(250)}`,
    agent: random.pick(AGENTS),
  }));
  const documents = Array.from({ length: size * 5 }, (_, n) => {
    return { type: "document", id: `d_${1001 + n}`, name: `${random.pick(TOPICS)} ${1 + random.below(9)}` };
  });
  const keys = ["deploy", "reporting", "mobile app", "ETL"].map((name, n) => ({
    type: "api_key",
    id: `key_${n + 1}`,
    name,
  }));
  return { people, admins: people.slice(0, 3), documents, keys };
}
