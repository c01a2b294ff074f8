// Package answer judges what plugins answer, and carries out the edits of an
// answer on a message. An answer that does not keep the rules of its hook is
// refused as a whole: it is an error of the plugin and is never obeyed, mended
// or passed on. Only what is missing is filled in: the reply of a plugin that
// decided without words gets the core's.
//
// What holds for every answer that is let through:
//
//   - Its action and its edits are among those that [sdk.Hooks] gives the hook.
//   - The reply code is of the class of the action, the enhanced code (RFC
//     3463) of the class of the reply code, and the text cannot end the reply
//     or add a line to it that is none.
//   - Addresses are such as the SMTP server itself would take; header fields
//     keep to RFC 5322 and cannot end the header.
//   - Everything in it is bounded.
//
// Outcomes of deliveries are the exception. They carry the words of foreign
// servers, and a recipient that was delivered must not be delivered again
// because of a bad word; so they are cleaned instead of refused.
package answer
