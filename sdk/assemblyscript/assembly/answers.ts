import { Action, Answer, Edit, Op } from "./gen";

/** No opinion: the next plugin is asked. */
export function next(): Answer {
  return new Answer();
}

/** Yes, and ask nobody else. */
export function accept(): Answer {
  const a = new Answer();
  a.action = Action.Accept;
  return a;
}

/** A permanent refusal (5yz). Enhanced is an RFC 3463 code of class 5; both may be empty. */
export function reject(enhanced: string = "", text: string = ""): Answer {
  return refusal(Action.Reject, enhanced, text);
}

/** A temporary refusal (4yz). Enhanced is an RFC 3463 code of class 4; both may be empty. */
export function defer(enhanced: string = "", text: string = ""): Answer {
  return refusal(Action.Defer, enhanced, text);
}

/** Go on, and leave a note for other plugins and for this one later. */
export function noted(key: string, value: string): Answer {
  const a = new Answer();
  a.edits.push(edit(Op.Note, key, value));
  return a;
}

/** One operation on a session or message. */
export function edit(op: Op, name: string = "", value: string = "", index: i32 = 0): Edit {
  const e = new Edit();
  e.op = op;
  e.name = name;
  e.value = value;
  e.index = index;
  return e;
}

function refusal(action: Action, enhanced: string, text: string): Answer {
  const a = new Answer();
  a.action = action;
  a.reply.enhanced = enhanced;
  a.reply.text = text;
  return a;
}
