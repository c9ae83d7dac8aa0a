// Requests to the service, and its errors in an editor's words.

const LANGUAGES = { de: "German", ru: "Russian", km: "Khmer", en: "English" };
const FIELDS = [
  [/^release\.text$/, "The text"],
  [/^release\.title$/, "The headline"],
  [/^(release\.)?language$/, "The language"],
  [/^options\.sentence_count$/, "Key sentences"],
  [/^options\.glossary\[(\d+)\].*$/, "The glossary"],
  [/^text$/, "The sentence"],
  [/^sources$/, "The sources"],
  [/^(file|body)$/, "The file"],
];

/** What went wrong, to be shown: a title, some sentences, and whether the same may succeed later. */
export class Failure extends Error {
  constructor(title, details = [], { retry = true, status = 0 } = {}) {
    super(title);
    this.details = details;
    this.retry = retry;
    this.status = status;
  }
}

/** Name a language in English. */
export function languageName(code) {
  try {
    return LANGUAGES[code] ?? new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Ask the service; gives the answer if it is a good one, else throws a Failure. */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw gone();
  }
  if (answer.ok) return answer;
  throw failure(await status(answer), answer.status, Number(answer.headers.get("retry-after")));
}

/** Send JSON; gives the answer. */
export const send = (path, body, options = {}) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...options,
  });

/** The failure of a service that doesn't answer. */
export const gone = () =>
  new Failure("Depesche can’t be reached", [
    "The service has stopped, or the way to it is cut. What you have written is still here.",
  ]);

/** Put a google.rpc.Status into words. */
export function failure(status, http = 0, seconds = 0) {
  const detail = (type) => status.details?.find((each) => each["@type"]?.endsWith(type));
  const info = detail("google.rpc.ErrorInfo");
  const violations = detail("google.rpc.BadRequest")?.fieldViolations ?? [];
  const told = violations.map(inWords);
  const own = OWN_WORDS[info?.reason]?.(info, violations);
  if (own) return new Failure(own.title, own.details, { retry: false, status: http });
  const wait = seconds || parseFloat(detail("google.rpc.RetryInfo")?.retryDelay ?? "0");
  const later = wait ? [`Try again in ${Math.ceil(wait)} s.`] : [];
  const [title, words] = TITLES[http] ?? TITLES[status.code] ?? ["Something went wrong", ""];
  const details = told.length ? told : [words || sentence(status.message)];
  return new Failure(title, [...details, ...later].filter(Boolean), {
    retry: !(http >= 400 && http < 500) || http === 429 || http === 408,
    status: http,
  });
}

const OWN_WORDS = {
  LanguageUnsupported: (info) => ({
    title: `${languageName(info.metadata?.language)} isn’t translated here`,
    details: [
      "Depesche reads German, Russian, Khmer and English, and refuses others rather than guess." +
        " If the text is in one of these, choose its language below.",
    ],
  }),
  LanguageUncertain: (info, violations) => ({
    title: "The language can’t be told",
    details: [
      sentence(capital(violations[0].description.split(";")[0])),
      "Choose it below, and send the release again.",
    ],
  }),
};

// By status of HTTP, or by code for an error within a stream.
const TITLES = {
  3: ["This can’t be briefed as it is", ""],
  4: ["The time was up", "The release took longer than the service allows."],
  8: ["The service is full", ""],
  13: ["A fault in the service", ""],
  14: [
    "The service isn’t there right now",
    "It starts, stops, or can’t be reached. What you have written is still here.",
  ],
  400: ["This can’t be done as it is", ""],
  401: [
    "A token is needed",
    "The service asks for a token that the page doesn’t have. Tell whoever runs it.",
  ],
  403: ["Not allowed from here", ""],
  404: ["There is nothing here", ""],
  408: ["It took too long to send", ""],
  413: ["That is too long", ""],
  415: ["This kind of file can’t be read", ""],
  421: [
    "Not known by this name",
    "The service must be told the name in the address: depesche web --host NAME.",
  ],
  429: ["The service is full", ""],
  500: ["A fault in the service", ""],
  503: [
    "The service isn’t there right now",
    "It starts, stops, or can’t be reached. What you have written is still here.",
  ],
  504: ["The time was up", "The release took longer than the service allows."],
  507: ["There is no room to keep it", ""],
};

function inWords({ field, description }) {
  const found = FIELDS.find(([pattern]) => pattern.test(field));
  const term = /\[(\d+)\]/.exec(field);
  const place = term ? `, term ${Number(term[1]) + 1}` : "";
  return sentence(`${found ? found[1] : field}${place}: ${description}`);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

const sentence = (text) => (text && !/[.!?]$/.test(text) ? `${text}.` : (text ?? ""));

async function status(answer) {
  try {
    return await answer.json();
  } catch {
    return { message: `The answer was ${answer.status}` }; // of a proxy
  }
}
