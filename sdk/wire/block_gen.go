// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

package wire

import (
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Records is how many types of record there are.
const Records = 61

// The records, as places in [Tables].
const (
	recordSession         = 0
	recordRecipient       = 1
	recordEnvelope        = 2
	recordOrigin          = 3
	recordMessage         = 4
	recordReply           = 5
	recordAnswer          = 6
	recordVerdict         = 7
	recordEdit            = 8
	recordRouteAnswer     = 9
	recordRoute           = 10
	recordOutcome         = 11
	recordDeliverAnswer   = 12
	recordOutcomeAnswer   = 13
	recordBounceAnswer    = 14
	recordConnectEvent    = 15
	recordHeloEvent       = 16
	recordAuthEvent       = 17
	recordMailEvent       = 18
	recordRcptEvent       = 19
	recordPredataEvent    = 20
	recordDataEvent       = 21
	recordRouteEvent      = 22
	recordDeliverEvent    = 23
	recordOutcomeEvent    = 24
	recordBounceEvent     = 25
	recordDisconnectEvent = 26
	recordHTTPRequest     = 27
	recordHTTPResponse    = 28
	recordHTTPField       = 29
	recordMX              = 30
	recordLogCall         = 31
	recordLogResult       = 32
	recordNowCall         = 33
	recordNowResult       = 34
	recordRandomCall      = 35
	recordRandomResult    = 36
	recordMetricCall      = 37
	recordMetricResult    = 38
	recordKVGetCall       = 39
	recordKVGetResult     = 40
	recordKVSetCall       = 41
	recordKVSetResult     = 42
	recordKVSwapCall      = 43
	recordKVSwapResult    = 44
	recordKVAddCall       = 45
	recordKVAddResult     = 46
	recordKVDeleteCall    = 47
	recordKVDeleteResult  = 48
	recordLookupCall      = 49
	recordLookupResult    = 50
	recordMXCall          = 51
	recordMXResult        = 52
	recordHTTPCall        = 53
	recordHTTPResult      = 54
	recordReadCall        = 55
	recordReadResult      = 56
	recordHeaderCall      = 57
	recordHeaderResult    = 58
	recordSendCall        = 59
	recordSendResult      = 60
)

// The numbers of the hooks.
const (
	HookConnect    = 1
	HookHelo       = 2
	HookAuth       = 3
	HookMail       = 4
	HookRcpt       = 5
	HookPredata    = 6
	HookData       = 7
	HookRoute      = 8
	HookDeliver    = 9
	HookOutcome    = 10
	HookBounce     = 11
	HookDisconnect = 12
)

// The numbers of the calls.
const (
	CallLog      = 1
	CallNow      = 2
	CallRandom   = 3
	CallMetric   = 4
	CallKVGet    = 5
	CallKVSet    = 6
	CallKVSwap   = 7
	CallKVAdd    = 8
	CallKVDelete = 9
	CallLookup   = 10
	CallMX       = 11
	CallHTTP     = 12
	CallRead     = 13
	CallHeader   = 14
	CallSend     = 15
)

func (w *Writer) putSession(at int, v *sdk.Session) {
	m := w.want[recordSession]
	if m&(1<<0) != 0 {
		w.string(at+0, v.ID)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Profile)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.LocalAddr)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.RemoteIP)
	}
	if m&(1<<4) != 0 {
		w.int(at+32, int64(v.RemotePort))
	}
	if m&(1<<5) != 0 {
		w.string(at+40, v.RemoteName)
	}
	if m&(1<<6) != 0 {
		w.string(at+48, v.Helo)
	}
	if m&(1<<7) != 0 {
		w.string(at+56, v.Protocol)
	}
	if m&(1<<8) != 0 {
		w.string(at+64, v.TLS)
	}
	if m&(1<<9) != 0 {
		w.string(at+72, v.Login)
	}
	if m&(1<<10) != 0 {
		w.time(at+80, v.Started)
	}
	if m&(1<<11) != 0 {
		w.notes(at+88, v.Notes)
	}
}

const fieldsSession = 12

func (b *Block) getSession(at, n int, v *sdk.Session) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.ID = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Profile = b.text(x)
		}
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.LocalAddr = b.text(x)
		}
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.RemoteIP = b.text(x)
		}
	}
	if n > 4 {
		v.RemotePort = int(b.slot(at + 32))
	}
	if n > 5 {
		if x := b.slot(at + 40); x != 0 {
			v.RemoteName = b.text(x)
		}
	}
	if n > 6 {
		if x := b.slot(at + 48); x != 0 {
			v.Helo = b.text(x)
		}
	}
	if n > 7 {
		if x := b.slot(at + 56); x != 0 {
			v.Protocol = b.text(x)
		}
	}
	if n > 8 {
		if x := b.slot(at + 64); x != 0 {
			v.TLS = b.text(x)
		}
	}
	if n > 9 {
		if x := b.slot(at + 72); x != 0 {
			v.Login = b.text(x)
		}
	}
	if n > 10 {
		if b.slot(at+80) != 0 {
			v.Started = b.time(at + 80)
		}
	}
	if n > 11 {
		if b.slot(at+88) != 0 {
			v.Notes = b.notes(at + 88)
		}
	}
}

func (w *Writer) putRecipient(at int, v *sdk.Recipient) {
	m := w.want[recordRecipient]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Addr)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Orig)
	}
	if m&(1<<2) != 0 {
		w.int(at+16, int64(v.Notify))
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.ORcpt)
	}
}

const fieldsRecipient = 4

func (b *Block) getRecipient(at, n int, v *sdk.Recipient) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Addr = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Orig = b.text(x)
		}
	}
	if n > 2 {
		if b.slot(at+16) != 0 {
			v.Notify = sdk.Notify(b.enum(at + 16))
		}
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.ORcpt = b.text(x)
		}
	}
}

func (w *Writer) putEnvelope(at int, v *sdk.Envelope) {
	m := w.want[recordEnvelope]
	if m&(1<<0) != 0 {
		w.string(at+0, v.ID)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.From)
	}
	if m&(1<<2) != 0 && len(v.Recipients) != 0 {
		off := w.slots(at+16, len(v.Recipients))
		for i := range v.Recipients {
			w.putRecipient(w.slots(off+8*i, fieldsRecipient), &v.Recipients[i])
		}
	}
	if m&(1<<3) != 0 {
		w.int(at+24, int64(v.Size))
	}
	if m&(1<<4) != 0 {
		w.string(at+32, v.Body)
	}
	if m&(1<<5) != 0 {
		w.bool(at+40, v.SMTPUTF8)
	}
	if m&(1<<6) != 0 {
		w.bool(at+48, v.RequireTLS)
	}
	if m&(1<<7) != 0 {
		w.string(at+56, v.Ret)
	}
	if m&(1<<8) != 0 {
		w.string(at+64, v.EnvID)
	}
	if m&(1<<9) != 0 {
		w.time(at+72, v.Arrived)
	}
	if m&(1<<10) != 0 {
		w.putOrigin(w.slots(at+80, fieldsOrigin), &v.Origin)
	}
	if m&(1<<11) != 0 {
		w.notes(at+88, v.Notes)
	}
}

const fieldsEnvelope = 12

func (b *Block) getEnvelope(at, n int, v *sdk.Envelope) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.ID = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.From = b.text(x)
		}
	}
	if n > 2 {
		if off, m := b.sub(at + 16); m > 0 {
			v.Recipients = make([]sdk.Recipient, m)
			for i := range v.Recipients {
				el, k := b.element(off + 8*i)
				b.getRecipient(el, k, &v.Recipients[i])
			}
		}
	}
	if n > 3 {
		v.Size = int64(b.slot(at + 24))
	}
	if n > 4 {
		if x := b.slot(at + 32); x != 0 {
			v.Body = b.text(x)
		}
	}
	if n > 5 {
		v.SMTPUTF8 = b.slot(at+40) != 0
	}
	if n > 6 {
		v.RequireTLS = b.slot(at+48) != 0
	}
	if n > 7 {
		if x := b.slot(at + 56); x != 0 {
			v.Ret = b.text(x)
		}
	}
	if n > 8 {
		if x := b.slot(at + 64); x != 0 {
			v.EnvID = b.text(x)
		}
	}
	if n > 9 {
		if b.slot(at+72) != 0 {
			v.Arrived = b.time(at + 72)
		}
	}
	if n > 10 {
		off, m := b.sub(at + 80)
		b.getOrigin(off, m, &v.Origin)
	}
	if n > 11 {
		if b.slot(at+88) != 0 {
			v.Notes = b.notes(at + 88)
		}
	}
}

func (w *Writer) putOrigin(at int, v *sdk.Origin) {
	m := w.want[recordOrigin]
	if m&(1<<0) != 0 {
		w.string(at+0, v.IP)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Name)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Helo)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.Protocol)
	}
	if m&(1<<4) != 0 {
		w.string(at+32, v.Login)
	}
	if m&(1<<5) != 0 {
		w.string(at+40, v.Profile)
	}
}

const fieldsOrigin = 6

func (b *Block) getOrigin(at, n int, v *sdk.Origin) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.IP = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Name = b.text(x)
		}
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Helo = b.text(x)
		}
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.Protocol = b.text(x)
		}
	}
	if n > 4 {
		if x := b.slot(at + 32); x != 0 {
			v.Login = b.text(x)
		}
	}
	if n > 5 {
		if x := b.slot(at + 40); x != 0 {
			v.Profile = b.text(x)
		}
	}
}

func (w *Writer) putMessage(at int, v *sdk.Message) {
	m := w.want[recordMessage]
	if m&(1<<0) != 0 {
		w.string(at+0, v.ID)
	}
	if m&(1<<1) != 0 {
		w.int(at+8, int64(v.Size))
	}
}

const fieldsMessage = 2

func (b *Block) getMessage(at, n int, v *sdk.Message) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.ID = b.text(x)
		}
	}
	if n > 1 {
		v.Size = int64(b.slot(at + 8))
	}
}

func (w *Writer) putReply(at int, v *sdk.Reply) {
	m := w.want[recordReply]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Code))
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Enhanced)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Text)
	}
}

const fieldsReply = 3

func (b *Block) getReply(at, n int, v *sdk.Reply) {
	if n > 0 {
		v.Code = int(b.slot(at + 0))
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Enhanced = b.text(x)
		}
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Text = b.text(x)
		}
	}
}

func (w *Writer) putAnswer(at int, v *sdk.Answer) {
	m := w.want[recordAnswer]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Action))
	}
	if m&(1<<1) != 0 {
		w.putReply(w.slots(at+8, fieldsReply), &v.Reply)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Reason)
	}
	if m&(1<<3) != 0 && len(v.Edits) != 0 {
		off := w.slots(at+24, len(v.Edits))
		for i := range v.Edits {
			w.putEdit(w.slots(off+8*i, fieldsEdit), &v.Edits[i])
		}
	}
	if m&(1<<4) != 0 {
		w.string(at+32, v.Identity)
	}
	if m&(1<<5) != 0 && len(v.Recipients) != 0 {
		off := w.slots(at+40, len(v.Recipients))
		for i := range v.Recipients {
			w.putVerdict(w.slots(off+8*i, fieldsVerdict), &v.Recipients[i])
		}
	}
}

const fieldsAnswer = 6

func (b *Block) getAnswer(at, n int, v *sdk.Answer) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Action = sdk.Action(b.enum(at + 0))
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getReply(off, m, &v.Reply)
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Reason = b.text(x)
		}
	}
	if n > 3 {
		if off, m := b.sub(at + 24); m > 0 {
			v.Edits = make([]sdk.Edit, m)
			for i := range v.Edits {
				el, k := b.element(off + 8*i)
				b.getEdit(el, k, &v.Edits[i])
			}
		}
	}
	if n > 4 {
		if x := b.slot(at + 32); x != 0 {
			v.Identity = b.text(x)
		}
	}
	if n > 5 {
		if off, m := b.sub(at + 40); m > 0 {
			v.Recipients = make([]sdk.Verdict, m)
			for i := range v.Recipients {
				el, k := b.element(off + 8*i)
				b.getVerdict(el, k, &v.Recipients[i])
			}
		}
	}
}

func (w *Writer) putVerdict(at int, v *sdk.Verdict) {
	m := w.want[recordVerdict]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Action))
	}
	if m&(1<<1) != 0 {
		w.putReply(w.slots(at+8, fieldsReply), &v.Reply)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Reason)
	}
}

const fieldsVerdict = 3

func (b *Block) getVerdict(at, n int, v *sdk.Verdict) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Action = sdk.Action(b.enum(at + 0))
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getReply(off, m, &v.Reply)
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Reason = b.text(x)
		}
	}
}

func (w *Writer) putEdit(at int, v *sdk.Edit) {
	m := w.want[recordEdit]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Op))
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Name)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Value)
	}
	if m&(1<<3) != 0 {
		w.int(at+24, int64(v.Index))
	}
	if m&(1<<4) != 0 {
		w.bytes(at+32, v.Data)
	}
}

const fieldsEdit = 5

func (b *Block) getEdit(at, n int, v *sdk.Edit) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Op = sdk.Op(b.enum(at + 0))
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Name = b.text(x)
		}
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Value = b.text(x)
		}
	}
	if n > 3 {
		v.Index = int(b.slot(at + 24))
	}
	if n > 4 {
		v.Data = b.bytes(at + 32)
	}
}

func (w *Writer) putRouteAnswer(at int, v *sdk.RouteAnswer) {
	m := w.want[recordRouteAnswer]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Action))
	}
	if m&(1<<1) != 0 {
		w.putRoute(w.slots(at+8, fieldsRoute), &v.Route)
	}
	if m&(1<<2) != 0 {
		w.putReply(w.slots(at+16, fieldsReply), &v.Reply)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.Reason)
	}
	if m&(1<<4) != 0 {
		w.time(at+32, v.NotBefore)
	}
}

const fieldsRouteAnswer = 5

func (b *Block) getRouteAnswer(at, n int, v *sdk.RouteAnswer) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Action = sdk.RouteAction(b.enum(at + 0))
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getRoute(off, m, &v.Route)
	}
	if n > 2 {
		off, m := b.sub(at + 16)
		b.getReply(off, m, &v.Reply)
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.Reason = b.text(x)
		}
	}
	if n > 4 {
		if b.slot(at+32) != 0 {
			v.NotBefore = b.time(at + 32)
		}
	}
}

func (w *Writer) putRoute(at int, v *sdk.Route) {
	m := w.want[recordRoute]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Via)
	}
	if m&(1<<1) != 0 {
		w.strings(at+8, v.Hosts)
	}
	if m&(1<<2) != 0 {
		w.bool(at+16, v.MX)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.TLS)
	}
	if m&(1<<4) != 0 {
		w.string(at+32, v.Source)
	}
	if m&(1<<5) != 0 {
		w.string(at+40, v.Pool)
	}
	if m&(1<<6) != 0 {
		w.string(at+48, v.Key)
	}
	if m&(1<<7) != 0 {
		w.string(at+56, v.User)
	}
	if m&(1<<8) != 0 {
		w.string(at+64, v.PasswordFile)
	}
	if m&(1<<9) != 0 {
		w.string(at+72, v.Rule)
	}
}

const fieldsRoute = 10

func (b *Block) getRoute(at, n int, v *sdk.Route) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Via = b.text(x)
		}
	}
	if n > 1 {
		if b.slot(at+8) != 0 {
			v.Hosts = b.strings(at + 8)
		}
	}
	if n > 2 {
		v.MX = b.slot(at+16) != 0
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.TLS = b.text(x)
		}
	}
	if n > 4 {
		if x := b.slot(at + 32); x != 0 {
			v.Source = b.text(x)
		}
	}
	if n > 5 {
		if x := b.slot(at + 40); x != 0 {
			v.Pool = b.text(x)
		}
	}
	if n > 6 {
		if x := b.slot(at + 48); x != 0 {
			v.Key = b.text(x)
		}
	}
	if n > 7 {
		if x := b.slot(at + 56); x != 0 {
			v.User = b.text(x)
		}
	}
	if n > 8 {
		if x := b.slot(at + 64); x != 0 {
			v.PasswordFile = b.text(x)
		}
	}
	if n > 9 {
		if x := b.slot(at + 72); x != 0 {
			v.Rule = b.text(x)
		}
	}
}

func (w *Writer) putOutcome(at int, v *sdk.Outcome) {
	m := w.want[recordOutcome]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Status))
	}
	if m&(1<<1) != 0 {
		w.putReply(w.slots(at+8, fieldsReply), &v.Reply)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Remote)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.TLS)
	}
	if m&(1<<4) != 0 {
		w.bool(at+32, v.RemoteReply)
	}
	if m&(1<<5) != 0 {
		w.bool(at+40, v.DSNRelayed)
	}
	if m&(1<<6) != 0 {
		w.bool(at+48, v.MaybeDuplicate)
	}
	if m&(1<<7) != 0 {
		w.bool(at+56, v.Unreachable)
	}
	if m&(1<<8) != 0 {
		w.int(at+64, int64(v.Setup))
	}
	if m&(1<<9) != 0 {
		w.int(at+72, int64(v.Transfer))
	}
	if m&(1<<10) != 0 {
		w.bool(at+80, v.Hold)
	}
}

const fieldsOutcome = 11

func (b *Block) getOutcome(at, n int, v *sdk.Outcome) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Status = sdk.Status(b.enum(at + 0))
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getReply(off, m, &v.Reply)
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Remote = b.text(x)
		}
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.TLS = b.text(x)
		}
	}
	if n > 4 {
		v.RemoteReply = b.slot(at+32) != 0
	}
	if n > 5 {
		v.DSNRelayed = b.slot(at+40) != 0
	}
	if n > 6 {
		v.MaybeDuplicate = b.slot(at+48) != 0
	}
	if n > 7 {
		v.Unreachable = b.slot(at+56) != 0
	}
	if n > 8 {
		v.Setup = time.Duration(b.int(at + 64))
	}
	if n > 9 {
		v.Transfer = time.Duration(b.int(at + 72))
	}
	if n > 10 {
		v.Hold = b.slot(at+80) != 0
	}
}

func (w *Writer) putDeliverAnswer(at int, v *sdk.DeliverAnswer) {
	m := w.want[recordDeliverAnswer]
	if m&(1<<0) != 0 && len(v.Outcomes) != 0 {
		off := w.slots(at+0, len(v.Outcomes))
		for i := range v.Outcomes {
			w.putOutcome(w.slots(off+8*i, fieldsOutcome), &v.Outcomes[i])
		}
	}
}

const fieldsDeliverAnswer = 1

func (b *Block) getDeliverAnswer(at, n int, v *sdk.DeliverAnswer) {
	if n > 0 {
		if off, m := b.sub(at + 0); m > 0 {
			v.Outcomes = make([]sdk.Outcome, m)
			for i := range v.Outcomes {
				el, k := b.element(off + 8*i)
				b.getOutcome(el, k, &v.Outcomes[i])
			}
		}
	}
}

func (w *Writer) putOutcomeAnswer(at int, v *sdk.OutcomeAnswer) {
	m := w.want[recordOutcomeAnswer]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Status))
	}
	if m&(1<<1) != 0 {
		w.int(at+8, int64(v.Delay))
	}
	if m&(1<<2) != 0 {
		w.putReply(w.slots(at+16, fieldsReply), &v.Reply)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.Reason)
	}
	if m&(1<<4) != 0 {
		w.bool(at+32, v.Hold)
	}
}

const fieldsOutcomeAnswer = 5

func (b *Block) getOutcomeAnswer(at, n int, v *sdk.OutcomeAnswer) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Status = sdk.Status(b.enum(at + 0))
		}
	}
	if n > 1 {
		v.Delay = time.Duration(b.int(at + 8))
	}
	if n > 2 {
		off, m := b.sub(at + 16)
		b.getReply(off, m, &v.Reply)
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.Reason = b.text(x)
		}
	}
	if n > 4 {
		v.Hold = b.slot(at+32) != 0
	}
}

func (w *Writer) putBounceAnswer(at int, v *sdk.BounceAnswer) {
	m := w.want[recordBounceAnswer]
	if m&(1<<0) != 0 {
		w.bool(at+0, v.Suppress)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Reason)
	}
	if m&(1<<2) != 0 && len(v.Edits) != 0 {
		off := w.slots(at+16, len(v.Edits))
		for i := range v.Edits {
			w.putEdit(w.slots(off+8*i, fieldsEdit), &v.Edits[i])
		}
	}
	if m&(1<<3) != 0 {
		w.bool(at+24, v.Defer)
	}
	if m&(1<<4) != 0 {
		w.bool(at+32, v.Hold)
	}
}

const fieldsBounceAnswer = 5

func (b *Block) getBounceAnswer(at, n int, v *sdk.BounceAnswer) {
	if n > 0 {
		v.Suppress = b.slot(at+0) != 0
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Reason = b.text(x)
		}
	}
	if n > 2 {
		if off, m := b.sub(at + 16); m > 0 {
			v.Edits = make([]sdk.Edit, m)
			for i := range v.Edits {
				el, k := b.element(off + 8*i)
				b.getEdit(el, k, &v.Edits[i])
			}
		}
	}
	if n > 3 {
		v.Defer = b.slot(at+24) != 0
	}
	if n > 4 {
		v.Hold = b.slot(at+32) != 0
	}
}

func (w *Writer) putConnectEvent(at int, v *sdk.ConnectEvent) {
	m := w.want[recordConnectEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
}

const fieldsConnectEvent = 1

func (b *Block) getConnectEvent(at, n int, v *sdk.ConnectEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
}

func (w *Writer) putHeloEvent(at int, v *sdk.HeloEvent) {
	m := w.want[recordHeloEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 {
		w.bool(at+8, v.Extended)
	}
}

const fieldsHeloEvent = 2

func (b *Block) getHeloEvent(at, n int, v *sdk.HeloEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		v.Extended = b.slot(at+8) != 0
	}
}

func (w *Writer) putAuthEvent(at int, v *sdk.AuthEvent) {
	m := w.want[recordAuthEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Mechanism)
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Username)
	}
	if m&(1<<3) != 0 {
		w.string(at+24, v.Password)
	}
	if m&(1<<4) != 0 {
		w.string(at+32, v.AuthzID)
	}
}

const fieldsAuthEvent = 5

func (b *Block) getAuthEvent(at, n int, v *sdk.AuthEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Mechanism = b.text(x)
		}
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Username = b.text(x)
		}
	}
	if n > 3 {
		if x := b.slot(at + 24); x != 0 {
			v.Password = b.text(x)
		}
	}
	if n > 4 {
		if x := b.slot(at + 32); x != 0 {
			v.AuthzID = b.text(x)
		}
	}
}

func (w *Writer) putMailEvent(at int, v *sdk.MailEvent) {
	m := w.want[recordMailEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+8, fieldsEnvelope), v.Envelope)
	}
}

const fieldsMailEvent = 2

func (b *Block) getMailEvent(at, n int, v *sdk.MailEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		if off, m := b.sub(at + 8); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
}

func (w *Writer) putRcptEvent(at int, v *sdk.RcptEvent) {
	m := w.want[recordRcptEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+8, fieldsEnvelope), v.Envelope)
	}
	if m&(1<<2) != 0 {
		w.putRecipient(w.slots(at+16, fieldsRecipient), &v.Recipient)
	}
}

const fieldsRcptEvent = 3

func (b *Block) getRcptEvent(at, n int, v *sdk.RcptEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		if off, m := b.sub(at + 8); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
	if n > 2 {
		off, m := b.sub(at + 16)
		b.getRecipient(off, m, &v.Recipient)
	}
}

func (w *Writer) putPredataEvent(at int, v *sdk.PredataEvent) {
	m := w.want[recordPredataEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+8, fieldsEnvelope), v.Envelope)
	}
}

const fieldsPredataEvent = 2

func (b *Block) getPredataEvent(at, n int, v *sdk.PredataEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		if off, m := b.sub(at + 8); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
}

func (w *Writer) putDataEvent(at int, v *sdk.DataEvent) {
	m := w.want[recordDataEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+8, fieldsEnvelope), v.Envelope)
	}
	if m&(1<<2) != 0 {
		w.putMessage(w.slots(at+16, fieldsMessage), &v.Message)
	}
}

const fieldsDataEvent = 3

func (b *Block) getDataEvent(at, n int, v *sdk.DataEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		if off, m := b.sub(at + 8); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
	if n > 2 {
		off, m := b.sub(at + 16)
		b.getMessage(off, m, &v.Message)
	}
}

func (w *Writer) putRouteEvent(at int, v *sdk.RouteEvent) {
	m := w.want[recordRouteEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+0, fieldsEnvelope), v.Envelope)
	}
	if m&(1<<1) != 0 {
		w.putRecipient(w.slots(at+8, fieldsRecipient), &v.Recipient)
	}
	if m&(1<<2) != 0 {
		w.int(at+16, int64(v.Attempt))
	}
	if m&(1<<3) != 0 {
		w.putOutcome(w.slots(at+24, fieldsOutcome), &v.Last)
	}
}

const fieldsRouteEvent = 4

func (b *Block) getRouteEvent(at, n int, v *sdk.RouteEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getRecipient(off, m, &v.Recipient)
	}
	if n > 2 {
		v.Attempt = int(b.slot(at + 16))
	}
	if n > 3 {
		off, m := b.sub(at + 24)
		b.getOutcome(off, m, &v.Last)
	}
}

func (w *Writer) putDeliverEvent(at int, v *sdk.DeliverEvent) {
	m := w.want[recordDeliverEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+0, fieldsEnvelope), v.Envelope)
	}
	if m&(1<<1) != 0 {
		w.putMessage(w.slots(at+8, fieldsMessage), &v.Message)
	}
	if m&(1<<2) != 0 && len(v.Recipients) != 0 {
		off := w.slots(at+16, len(v.Recipients))
		for i := range v.Recipients {
			w.putRecipient(w.slots(off+8*i, fieldsRecipient), &v.Recipients[i])
		}
	}
	if m&(1<<3) != 0 {
		w.putRoute(w.slots(at+24, fieldsRoute), &v.Route)
	}
	if m&(1<<4) != 0 {
		w.int(at+32, int64(v.Attempt))
	}
}

const fieldsDeliverEvent = 5

func (b *Block) getDeliverEvent(at, n int, v *sdk.DeliverEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getMessage(off, m, &v.Message)
	}
	if n > 2 {
		if off, m := b.sub(at + 16); m > 0 {
			v.Recipients = make([]sdk.Recipient, m)
			for i := range v.Recipients {
				el, k := b.element(off + 8*i)
				b.getRecipient(el, k, &v.Recipients[i])
			}
		}
	}
	if n > 3 {
		off, m := b.sub(at + 24)
		b.getRoute(off, m, &v.Route)
	}
	if n > 4 {
		v.Attempt = int(b.slot(at + 32))
	}
}

func (w *Writer) putOutcomeEvent(at int, v *sdk.OutcomeEvent) {
	m := w.want[recordOutcomeEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+0, fieldsEnvelope), v.Envelope)
	}
	if m&(1<<1) != 0 {
		w.putRecipient(w.slots(at+8, fieldsRecipient), &v.Recipient)
	}
	if m&(1<<2) != 0 {
		w.putRoute(w.slots(at+16, fieldsRoute), &v.Route)
	}
	if m&(1<<3) != 0 {
		w.int(at+24, int64(v.Attempt))
	}
	if m&(1<<4) != 0 {
		w.putOutcome(w.slots(at+32, fieldsOutcome), &v.Outcome)
	}
	if m&(1<<5) != 0 {
		w.time(at+40, v.Next)
	}
}

const fieldsOutcomeEvent = 6

func (b *Block) getOutcomeEvent(at, n int, v *sdk.OutcomeEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
	if n > 1 {
		off, m := b.sub(at + 8)
		b.getRecipient(off, m, &v.Recipient)
	}
	if n > 2 {
		off, m := b.sub(at + 16)
		b.getRoute(off, m, &v.Route)
	}
	if n > 3 {
		v.Attempt = int(b.slot(at + 24))
	}
	if n > 4 {
		off, m := b.sub(at + 32)
		b.getOutcome(off, m, &v.Outcome)
	}
	if n > 5 {
		if b.slot(at+40) != 0 {
			v.Next = b.time(at + 40)
		}
	}
}

func (w *Writer) putBounceEvent(at int, v *sdk.BounceEvent) {
	m := w.want[recordBounceEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		w.putEnvelope(w.slots(at+0, fieldsEnvelope), v.Envelope)
	}
	if m&(1<<1) != 0 {
		w.int(at+8, int64(v.Kind))
	}
	if m&(1<<2) != 0 && len(v.Recipients) != 0 {
		off := w.slots(at+16, len(v.Recipients))
		for i := range v.Recipients {
			w.putRecipient(w.slots(off+8*i, fieldsRecipient), &v.Recipients[i])
		}
	}
	if m&(1<<3) != 0 && len(v.Outcomes) != 0 {
		off := w.slots(at+24, len(v.Outcomes))
		for i := range v.Outcomes {
			w.putOutcome(w.slots(off+8*i, fieldsOutcome), &v.Outcomes[i])
		}
	}
	if m&(1<<4) != 0 {
		w.putMessage(w.slots(at+32, fieldsMessage), &v.Message)
	}
	if m&(1<<5) != 0 {
		w.string(at+40, v.To)
	}
}

const fieldsBounceEvent = 6

func (b *Block) getBounceEvent(at, n int, v *sdk.BounceEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Envelope = b.newEnvelope()
			b.getEnvelope(off, m, v.Envelope)
		}
	}
	if n > 1 {
		if b.slot(at+8) != 0 {
			v.Kind = sdk.DSNKind(b.enum(at + 8))
		}
	}
	if n > 2 {
		if off, m := b.sub(at + 16); m > 0 {
			v.Recipients = make([]sdk.Recipient, m)
			for i := range v.Recipients {
				el, k := b.element(off + 8*i)
				b.getRecipient(el, k, &v.Recipients[i])
			}
		}
	}
	if n > 3 {
		if off, m := b.sub(at + 24); m > 0 {
			v.Outcomes = make([]sdk.Outcome, m)
			for i := range v.Outcomes {
				el, k := b.element(off + 8*i)
				b.getOutcome(el, k, &v.Outcomes[i])
			}
		}
	}
	if n > 4 {
		off, m := b.sub(at + 32)
		b.getMessage(off, m, &v.Message)
	}
	if n > 5 {
		if x := b.slot(at + 40); x != 0 {
			v.To = b.text(x)
		}
	}
}

func (w *Writer) putDisconnectEvent(at int, v *sdk.DisconnectEvent) {
	m := w.want[recordDisconnectEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		w.putSession(w.slots(at+0, fieldsSession), v.Session)
	}
	if m&(1<<1) != 0 {
		w.int(at+8, int64(v.Messages))
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.Reason)
	}
}

const fieldsDisconnectEvent = 3

func (b *Block) getDisconnectEvent(at, n int, v *sdk.DisconnectEvent) {
	if n > 0 {
		if off, m := b.sub(at + 0); off != 0 {
			v.Session = b.newSession()
			b.getSession(off, m, v.Session)
		}
	}
	if n > 1 {
		v.Messages = int(b.slot(at + 8))
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.Reason = b.text(x)
		}
	}
}

func (w *Writer) putHTTPRequest(at int, v *sdk.HTTPRequest) {
	m := w.want[recordHTTPRequest]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Method)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.URL)
	}
	if m&(1<<2) != 0 && len(v.Header) != 0 {
		off := w.slots(at+16, len(v.Header))
		for i := range v.Header {
			w.putHTTPField(w.slots(off+8*i, fieldsHTTPField), &v.Header[i])
		}
	}
	if m&(1<<3) != 0 {
		w.bytes(at+24, v.Body)
	}
}

const fieldsHTTPRequest = 4

func (b *Block) getHTTPRequest(at, n int, v *sdk.HTTPRequest) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Method = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.URL = b.text(x)
		}
	}
	if n > 2 {
		if off, m := b.sub(at + 16); m > 0 {
			v.Header = make([]sdk.HTTPField, m)
			for i := range v.Header {
				el, k := b.element(off + 8*i)
				b.getHTTPField(el, k, &v.Header[i])
			}
		}
	}
	if n > 3 {
		v.Body = b.bytes(at + 24)
	}
}

func (w *Writer) putHTTPResponse(at int, v *sdk.HTTPResponse) {
	m := w.want[recordHTTPResponse]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Status))
	}
	if m&(1<<1) != 0 && len(v.Header) != 0 {
		off := w.slots(at+8, len(v.Header))
		for i := range v.Header {
			w.putHTTPField(w.slots(off+8*i, fieldsHTTPField), &v.Header[i])
		}
	}
	if m&(1<<2) != 0 {
		w.bytes(at+16, v.Body)
	}
}

const fieldsHTTPResponse = 3

func (b *Block) getHTTPResponse(at, n int, v *sdk.HTTPResponse) {
	if n > 0 {
		v.Status = int(b.slot(at + 0))
	}
	if n > 1 {
		if off, m := b.sub(at + 8); m > 0 {
			v.Header = make([]sdk.HTTPField, m)
			for i := range v.Header {
				el, k := b.element(off + 8*i)
				b.getHTTPField(el, k, &v.Header[i])
			}
		}
	}
	if n > 2 {
		v.Body = b.bytes(at + 16)
	}
}

func (w *Writer) putHTTPField(at int, v *sdk.HTTPField) {
	m := w.want[recordHTTPField]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Name)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Value)
	}
}

const fieldsHTTPField = 2

func (b *Block) getHTTPField(at, n int, v *sdk.HTTPField) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Name = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Value = b.text(x)
		}
	}
}

func (w *Writer) putMX(at int, v *sdk.MX) {
	m := w.want[recordMX]
	if m&(1<<0) != 0 {
		w.strings(at+0, v.Hosts)
	}
	if m&(1<<1) != 0 {
		w.bool(at+8, v.Null)
	}
	if m&(1<<2) != 0 {
		w.bool(at+16, v.Implicit)
	}
	if m&(1<<3) != 0 {
		w.bool(at+24, v.Loops)
	}
	if m&(1<<4) != 0 {
		w.bool(at+32, v.NoDomain)
	}
}

const fieldsMX = 5

func (b *Block) getMX(at, n int, v *sdk.MX) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Hosts = b.strings(at + 0)
		}
	}
	if n > 1 {
		v.Null = b.slot(at+8) != 0
	}
	if n > 2 {
		v.Implicit = b.slot(at+16) != 0
	}
	if n > 3 {
		v.Loops = b.slot(at+24) != 0
	}
	if n > 4 {
		v.NoDomain = b.slot(at+32) != 0
	}
}

func (w *Writer) putLogCall(at int, v *sdk.LogCall) {
	m := w.want[recordLogCall]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Level))
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Text)
	}
}

const fieldsLogCall = 2

func (b *Block) getLogCall(at, n int, v *sdk.LogCall) {
	if n > 0 {
		v.Level = int(b.slot(at + 0))
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Text = b.text(x)
		}
	}
}

func (w *Writer) putLogResult(int, *sdk.LogResult) {}

const fieldsLogResult = 0

func (b *Block) getLogResult(int, int, *sdk.LogResult) {}

func (w *Writer) putNowCall(int, *sdk.NowCall) {}

const fieldsNowCall = 0

func (b *Block) getNowCall(int, int, *sdk.NowCall) {}

func (w *Writer) putNowResult(at int, v *sdk.NowResult) {
	m := w.want[recordNowResult]
	if m&(1<<0) != 0 {
		w.time(at+0, v.Time)
	}
}

const fieldsNowResult = 1

func (b *Block) getNowResult(at, n int, v *sdk.NowResult) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Time = b.time(at + 0)
		}
	}
}

func (w *Writer) putRandomCall(at int, v *sdk.RandomCall) {
	m := w.want[recordRandomCall]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Size))
	}
}

const fieldsRandomCall = 1

func (b *Block) getRandomCall(at, n int, v *sdk.RandomCall) {
	if n > 0 {
		v.Size = int(b.slot(at + 0))
	}
}

func (w *Writer) putRandomResult(at int, v *sdk.RandomResult) {
	m := w.want[recordRandomResult]
	if m&(1<<0) != 0 {
		w.bytes(at+0, v.Data)
	}
}

const fieldsRandomResult = 1

func (b *Block) getRandomResult(at, n int, v *sdk.RandomResult) {
	if n > 0 {
		v.Data = b.bytes(at + 0)
	}
}

func (w *Writer) putMetricCall(at int, v *sdk.MetricCall) {
	m := w.want[recordMetricCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Name)
	}
	if m&(1<<1) != 0 {
		w.bool(at+8, v.Gauge)
	}
	if m&(1<<2) != 0 {
		w.float(at+16, v.Value)
	}
}

const fieldsMetricCall = 3

func (b *Block) getMetricCall(at, n int, v *sdk.MetricCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Name = b.text(x)
		}
	}
	if n > 1 {
		v.Gauge = b.slot(at+8) != 0
	}
	if n > 2 {
		v.Value = b.float(at + 16)
	}
}

func (w *Writer) putMetricResult(int, *sdk.MetricResult) {}

const fieldsMetricResult = 0

func (b *Block) getMetricResult(int, int, *sdk.MetricResult) {}

func (w *Writer) putKVGetCall(at int, v *sdk.KVGetCall) {
	m := w.want[recordKVGetCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Key)
	}
}

const fieldsKVGetCall = 1

func (b *Block) getKVGetCall(at, n int, v *sdk.KVGetCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Key = b.text(x)
		}
	}
}

func (w *Writer) putKVGetResult(at int, v *sdk.KVGetResult) {
	m := w.want[recordKVGetResult]
	if m&(1<<0) != 0 {
		w.bool(at+0, v.Found)
	}
	if m&(1<<1) != 0 {
		w.bytes(at+8, v.Value)
	}
}

const fieldsKVGetResult = 2

func (b *Block) getKVGetResult(at, n int, v *sdk.KVGetResult) {
	if n > 0 {
		v.Found = b.slot(at+0) != 0
	}
	if n > 1 {
		v.Value = b.bytes(at + 8)
	}
}

func (w *Writer) putKVSetCall(at int, v *sdk.KVSetCall) {
	m := w.want[recordKVSetCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Key)
	}
	if m&(1<<1) != 0 {
		w.bytes(at+8, v.Value)
	}
	if m&(1<<2) != 0 {
		w.int(at+16, int64(v.TTL))
	}
}

const fieldsKVSetCall = 3

func (b *Block) getKVSetCall(at, n int, v *sdk.KVSetCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Key = b.text(x)
		}
	}
	if n > 1 {
		v.Value = b.bytes(at + 8)
	}
	if n > 2 {
		v.TTL = time.Duration(b.int(at + 16))
	}
}

func (w *Writer) putKVSetResult(int, *sdk.KVSetResult) {}

const fieldsKVSetResult = 0

func (b *Block) getKVSetResult(int, int, *sdk.KVSetResult) {}

func (w *Writer) putKVSwapCall(at int, v *sdk.KVSwapCall) {
	m := w.want[recordKVSwapCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Key)
	}
	if m&(1<<1) != 0 {
		w.bool(at+8, v.HasOld)
	}
	if m&(1<<2) != 0 {
		w.bytes(at+16, v.Old)
	}
	if m&(1<<3) != 0 {
		w.bool(at+24, v.HasNew)
	}
	if m&(1<<4) != 0 {
		w.bytes(at+32, v.New)
	}
	if m&(1<<5) != 0 {
		w.int(at+40, int64(v.TTL))
	}
}

const fieldsKVSwapCall = 6

func (b *Block) getKVSwapCall(at, n int, v *sdk.KVSwapCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Key = b.text(x)
		}
	}
	if n > 1 {
		v.HasOld = b.slot(at+8) != 0
	}
	if n > 2 {
		v.Old = b.bytes(at + 16)
	}
	if n > 3 {
		v.HasNew = b.slot(at+24) != 0
	}
	if n > 4 {
		v.New = b.bytes(at + 32)
	}
	if n > 5 {
		v.TTL = time.Duration(b.int(at + 40))
	}
}

func (w *Writer) putKVSwapResult(at int, v *sdk.KVSwapResult) {
	m := w.want[recordKVSwapResult]
	if m&(1<<0) != 0 {
		w.bool(at+0, v.Swapped)
	}
}

const fieldsKVSwapResult = 1

func (b *Block) getKVSwapResult(at, n int, v *sdk.KVSwapResult) {
	if n > 0 {
		v.Swapped = b.slot(at+0) != 0
	}
}

func (w *Writer) putKVAddCall(at int, v *sdk.KVAddCall) {
	m := w.want[recordKVAddCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Key)
	}
	if m&(1<<1) != 0 {
		w.int(at+8, int64(v.Delta))
	}
	if m&(1<<2) != 0 {
		w.int(at+16, int64(v.TTL))
	}
}

const fieldsKVAddCall = 3

func (b *Block) getKVAddCall(at, n int, v *sdk.KVAddCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Key = b.text(x)
		}
	}
	if n > 1 {
		v.Delta = int64(b.slot(at + 8))
	}
	if n > 2 {
		v.TTL = time.Duration(b.int(at + 16))
	}
}

func (w *Writer) putKVAddResult(at int, v *sdk.KVAddResult) {
	m := w.want[recordKVAddResult]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Value))
	}
}

const fieldsKVAddResult = 1

func (b *Block) getKVAddResult(at, n int, v *sdk.KVAddResult) {
	if n > 0 {
		v.Value = int64(b.slot(at + 0))
	}
}

func (w *Writer) putKVDeleteCall(at int, v *sdk.KVDeleteCall) {
	m := w.want[recordKVDeleteCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Key)
	}
}

const fieldsKVDeleteCall = 1

func (b *Block) getKVDeleteCall(at, n int, v *sdk.KVDeleteCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Key = b.text(x)
		}
	}
}

func (w *Writer) putKVDeleteResult(int, *sdk.KVDeleteResult) {}

const fieldsKVDeleteResult = 0

func (b *Block) getKVDeleteResult(int, int, *sdk.KVDeleteResult) {}

func (w *Writer) putLookupCall(at int, v *sdk.LookupCall) {
	m := w.want[recordLookupCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Kind)
	}
	if m&(1<<1) != 0 {
		w.string(at+8, v.Name)
	}
}

const fieldsLookupCall = 2

func (b *Block) getLookupCall(at, n int, v *sdk.LookupCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Kind = b.text(x)
		}
	}
	if n > 1 {
		if x := b.slot(at + 8); x != 0 {
			v.Name = b.text(x)
		}
	}
}

func (w *Writer) putLookupResult(at int, v *sdk.LookupResult) {
	m := w.want[recordLookupResult]
	if m&(1<<0) != 0 {
		w.strings(at+0, v.Values)
	}
}

const fieldsLookupResult = 1

func (b *Block) getLookupResult(at, n int, v *sdk.LookupResult) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Values = b.strings(at + 0)
		}
	}
}

func (w *Writer) putMXCall(at int, v *sdk.MXCall) {
	m := w.want[recordMXCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Domain)
	}
}

const fieldsMXCall = 1

func (b *Block) getMXCall(at, n int, v *sdk.MXCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Domain = b.text(x)
		}
	}
}

func (w *Writer) putMXResult(at int, v *sdk.MXResult) {
	m := w.want[recordMXResult]
	if m&(1<<0) != 0 {
		w.putMX(w.slots(at+0, fieldsMX), &v.MX)
	}
}

const fieldsMXResult = 1

func (b *Block) getMXResult(at, n int, v *sdk.MXResult) {
	if n > 0 {
		off, m := b.sub(at + 0)
		b.getMX(off, m, &v.MX)
	}
}

func (w *Writer) putHTTPCall(at int, v *sdk.HTTPCall) {
	m := w.want[recordHTTPCall]
	if m&(1<<0) != 0 {
		w.putHTTPRequest(w.slots(at+0, fieldsHTTPRequest), &v.Request)
	}
}

const fieldsHTTPCall = 1

func (b *Block) getHTTPCall(at, n int, v *sdk.HTTPCall) {
	if n > 0 {
		off, m := b.sub(at + 0)
		b.getHTTPRequest(off, m, &v.Request)
	}
}

func (w *Writer) putHTTPResult(at int, v *sdk.HTTPResult) {
	m := w.want[recordHTTPResult]
	if m&(1<<0) != 0 {
		w.putHTTPResponse(w.slots(at+0, fieldsHTTPResponse), &v.Response)
	}
}

const fieldsHTTPResult = 1

func (b *Block) getHTTPResult(at, n int, v *sdk.HTTPResult) {
	if n > 0 {
		off, m := b.sub(at + 0)
		b.getHTTPResponse(off, m, &v.Response)
	}
}

func (w *Writer) putReadCall(at int, v *sdk.ReadCall) {
	m := w.want[recordReadCall]
	if m&(1<<0) != 0 {
		w.int(at+0, int64(v.Offset))
	}
	if m&(1<<1) != 0 {
		w.int(at+8, int64(v.Size))
	}
}

const fieldsReadCall = 2

func (b *Block) getReadCall(at, n int, v *sdk.ReadCall) {
	if n > 0 {
		v.Offset = int64(b.slot(at + 0))
	}
	if n > 1 {
		v.Size = int(b.slot(at + 8))
	}
}

func (w *Writer) putReadResult(at int, v *sdk.ReadResult) {
	m := w.want[recordReadResult]
	if m&(1<<0) != 0 {
		w.bytes(at+0, v.Data)
	}
}

const fieldsReadResult = 1

func (b *Block) getReadResult(at, n int, v *sdk.ReadResult) {
	if n > 0 {
		v.Data = b.bytes(at + 0)
	}
}

func (w *Writer) putHeaderCall(at int, v *sdk.HeaderCall) {
	m := w.want[recordHeaderCall]
	if m&(1<<0) != 0 {
		w.string(at+0, v.Name)
	}
}

const fieldsHeaderCall = 1

func (b *Block) getHeaderCall(at, n int, v *sdk.HeaderCall) {
	if n > 0 {
		if x := b.slot(at + 0); x != 0 {
			v.Name = b.text(x)
		}
	}
}

func (w *Writer) putHeaderResult(at int, v *sdk.HeaderResult) {
	m := w.want[recordHeaderResult]
	if m&(1<<0) != 0 {
		w.strings(at+0, v.Values)
	}
}

const fieldsHeaderResult = 1

func (b *Block) getHeaderResult(at, n int, v *sdk.HeaderResult) {
	if n > 0 {
		if b.slot(at+0) != 0 {
			v.Values = b.strings(at + 0)
		}
	}
}

func (w *Writer) putSendCall(at int, v *sdk.SendCall) {
	m := w.want[recordSendCall]
	if m&(1<<0) != 0 {
		w.putRoute(w.slots(at+0, fieldsRoute), &v.Route)
	}
	if m&(1<<1) != 0 && len(v.Recipients) != 0 {
		off := w.slots(at+8, len(v.Recipients))
		for i := range v.Recipients {
			w.putRecipient(w.slots(off+8*i, fieldsRecipient), &v.Recipients[i])
		}
	}
	if m&(1<<2) != 0 {
		w.string(at+16, v.From)
	}
	if m&(1<<3) != 0 {
		w.bool(at+24, v.LMTP)
	}
}

const fieldsSendCall = 4

func (b *Block) getSendCall(at, n int, v *sdk.SendCall) {
	if n > 0 {
		off, m := b.sub(at + 0)
		b.getRoute(off, m, &v.Route)
	}
	if n > 1 {
		if off, m := b.sub(at + 8); m > 0 {
			v.Recipients = make([]sdk.Recipient, m)
			for i := range v.Recipients {
				el, k := b.element(off + 8*i)
				b.getRecipient(el, k, &v.Recipients[i])
			}
		}
	}
	if n > 2 {
		if x := b.slot(at + 16); x != 0 {
			v.From = b.text(x)
		}
	}
	if n > 3 {
		v.LMTP = b.slot(at+24) != 0
	}
}

func (w *Writer) putSendResult(at int, v *sdk.SendResult) {
	m := w.want[recordSendResult]
	if m&(1<<0) != 0 && len(v.Outcomes) != 0 {
		off := w.slots(at+0, len(v.Outcomes))
		for i := range v.Outcomes {
			w.putOutcome(w.slots(off+8*i, fieldsOutcome), &v.Outcomes[i])
		}
	}
}

const fieldsSendResult = 1

func (b *Block) getSendResult(at, n int, v *sdk.SendResult) {
	if n > 0 {
		if off, m := b.sub(at + 0); m > 0 {
			v.Outcomes = make([]sdk.Outcome, m)
			for i := range v.Outcomes {
				el, k := b.element(off + 8*i)
				b.getOutcome(el, k, &v.Outcomes[i])
			}
		}
	}
}

// Reader reads events into memory of its own, one at a time: what an event
// points to is good until the next one is read. The strings are not among it.
type Reader struct {
	recordSession  sdk.Session
	recordEnvelope sdk.Envelope
}

func (b *Block) newSession() *sdk.Session {
	if b.into == nil {
		return new(sdk.Session)
	}
	b.into.recordSession = sdk.Session{}
	return &b.into.recordSession
}

func (b *Block) newEnvelope() *sdk.Envelope {
	if b.into == nil {
		return new(sdk.Envelope)
	}
	b.into.recordEnvelope = sdk.Envelope{}
	return &b.into.recordEnvelope
}

// ConnectEvent reads the block of an event.
func (r *Reader) ConnectEvent(s string) (e sdk.ConnectEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+1)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getConnectEvent(at, n, &e)
	}
	return e, now, b.err
}

// HeloEvent reads the block of an event.
func (r *Reader) HeloEvent(s string) (e sdk.HeloEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+2)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getHeloEvent(at, n, &e)
	}
	return e, now, b.err
}

// AuthEvent reads the block of an event.
func (r *Reader) AuthEvent(s string) (e sdk.AuthEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+3)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getAuthEvent(at, n, &e)
	}
	return e, now, b.err
}

// MailEvent reads the block of an event.
func (r *Reader) MailEvent(s string) (e sdk.MailEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+4)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getMailEvent(at, n, &e)
	}
	return e, now, b.err
}

// RcptEvent reads the block of an event.
func (r *Reader) RcptEvent(s string) (e sdk.RcptEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+5)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getRcptEvent(at, n, &e)
	}
	return e, now, b.err
}

// PredataEvent reads the block of an event.
func (r *Reader) PredataEvent(s string) (e sdk.PredataEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+6)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getPredataEvent(at, n, &e)
	}
	return e, now, b.err
}

// DataEvent reads the block of an event.
func (r *Reader) DataEvent(s string) (e sdk.DataEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+7)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getDataEvent(at, n, &e)
	}
	return e, now, b.err
}

// RouteEvent reads the block of an event.
func (r *Reader) RouteEvent(s string) (e sdk.RouteEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+8)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getRouteEvent(at, n, &e)
	}
	return e, now, b.err
}

// DeliverEvent reads the block of an event.
func (r *Reader) DeliverEvent(s string) (e sdk.DeliverEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+9)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getDeliverEvent(at, n, &e)
	}
	return e, now, b.err
}

// OutcomeEvent reads the block of an event.
func (r *Reader) OutcomeEvent(s string) (e sdk.OutcomeEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+10)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getOutcomeEvent(at, n, &e)
	}
	return e, now, b.err
}

// BounceEvent reads the block of an event.
func (r *Reader) BounceEvent(s string) (e sdk.BounceEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+11)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getBounceEvent(at, n, &e)
	}
	return e, now, b.err
}

// DisconnectEvent reads the block of an event.
func (r *Reader) DisconnectEvent(s string) (e sdk.DisconnectEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+12)
	if b.into = r; b.err == nil {
		now = b.Time()
		b.getDisconnectEvent(at, n, &e)
	}
	return e, now, b.err
}

// ConnectEvent makes the block of an event.
func (w *Writer) ConnectEvent(now time.Time, e *sdk.ConnectEvent, want *Want) []byte {
	w.putConnectEvent(w.begin(KindEvent+1, 1, now, want), e)
	return w.end()
}

// ParseConnectEvent reads the block of an event.
func ParseConnectEvent(s string) (e sdk.ConnectEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+1)
	if b.err == nil {
		now = b.Time()
		b.getConnectEvent(at, n, &e)
	}
	return e, now, b.err
}

// ConnectAnswer makes the block of an answer.
func (w *Writer) ConnectAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+1, 6, time.Time{}, nil), a)
	return w.end()
}

// ParseConnectAnswer reads the block of an answer.
func ParseConnectAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+1)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// HeloEvent makes the block of an event.
func (w *Writer) HeloEvent(now time.Time, e *sdk.HeloEvent, want *Want) []byte {
	w.putHeloEvent(w.begin(KindEvent+2, 2, now, want), e)
	return w.end()
}

// ParseHeloEvent reads the block of an event.
func ParseHeloEvent(s string) (e sdk.HeloEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+2)
	if b.err == nil {
		now = b.Time()
		b.getHeloEvent(at, n, &e)
	}
	return e, now, b.err
}

// HeloAnswer makes the block of an answer.
func (w *Writer) HeloAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+2, 6, time.Time{}, nil), a)
	return w.end()
}

// ParseHeloAnswer reads the block of an answer.
func ParseHeloAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+2)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// AuthEvent makes the block of an event.
func (w *Writer) AuthEvent(now time.Time, e *sdk.AuthEvent, want *Want) []byte {
	w.putAuthEvent(w.begin(KindEvent+3, 5, now, want), e)
	return w.end()
}

// ParseAuthEvent reads the block of an event.
func ParseAuthEvent(s string) (e sdk.AuthEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+3)
	if b.err == nil {
		now = b.Time()
		b.getAuthEvent(at, n, &e)
	}
	return e, now, b.err
}

// AuthAnswer makes the block of an answer.
func (w *Writer) AuthAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+3, 6, time.Time{}, nil), a)
	return w.end()
}

// ParseAuthAnswer reads the block of an answer.
func ParseAuthAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+3)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// MailEvent makes the block of an event.
func (w *Writer) MailEvent(now time.Time, e *sdk.MailEvent, want *Want) []byte {
	w.putMailEvent(w.begin(KindEvent+4, 2, now, want), e)
	return w.end()
}

// ParseMailEvent reads the block of an event.
func ParseMailEvent(s string) (e sdk.MailEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+4)
	if b.err == nil {
		now = b.Time()
		b.getMailEvent(at, n, &e)
	}
	return e, now, b.err
}

// MailAnswer makes the block of an answer.
func (w *Writer) MailAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+4, 6, time.Time{}, nil), a)
	return w.end()
}

// ParseMailAnswer reads the block of an answer.
func ParseMailAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+4)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// RcptEvent makes the block of an event.
func (w *Writer) RcptEvent(now time.Time, e *sdk.RcptEvent, want *Want) []byte {
	w.putRcptEvent(w.begin(KindEvent+5, 3, now, want), e)
	return w.end()
}

// ParseRcptEvent reads the block of an event.
func ParseRcptEvent(s string) (e sdk.RcptEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+5)
	if b.err == nil {
		now = b.Time()
		b.getRcptEvent(at, n, &e)
	}
	return e, now, b.err
}

// RcptAnswer makes the block of an answer.
func (w *Writer) RcptAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+5, 6, time.Time{}, nil), a)
	return w.end()
}

// ParseRcptAnswer reads the block of an answer.
func ParseRcptAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+5)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// PredataEvent makes the block of an event.
func (w *Writer) PredataEvent(now time.Time, e *sdk.PredataEvent, want *Want) []byte {
	w.putPredataEvent(w.begin(KindEvent+6, 2, now, want), e)
	return w.end()
}

// ParsePredataEvent reads the block of an event.
func ParsePredataEvent(s string) (e sdk.PredataEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+6)
	if b.err == nil {
		now = b.Time()
		b.getPredataEvent(at, n, &e)
	}
	return e, now, b.err
}

// PredataAnswer makes the block of an answer.
func (w *Writer) PredataAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+6, 6, time.Time{}, nil), a)
	return w.end()
}

// ParsePredataAnswer reads the block of an answer.
func ParsePredataAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+6)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// DataEvent makes the block of an event.
func (w *Writer) DataEvent(now time.Time, e *sdk.DataEvent, want *Want) []byte {
	w.putDataEvent(w.begin(KindEvent+7, 3, now, want), e)
	return w.end()
}

// ParseDataEvent reads the block of an event.
func ParseDataEvent(s string) (e sdk.DataEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+7)
	if b.err == nil {
		now = b.Time()
		b.getDataEvent(at, n, &e)
	}
	return e, now, b.err
}

// DataAnswer makes the block of an answer.
func (w *Writer) DataAnswer(a *sdk.Answer) []byte {
	w.putAnswer(w.begin(KindAnswer+7, 6, time.Time{}, nil), a)
	return w.end()
}

// ParseDataAnswer reads the block of an answer.
func ParseDataAnswer(s string) (a sdk.Answer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+7)
	if b.err == nil {
		b.getAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.Answer{}, b.err
	}
	return a, nil
}

// RouteEvent makes the block of an event.
func (w *Writer) RouteEvent(now time.Time, e *sdk.RouteEvent, want *Want) []byte {
	w.putRouteEvent(w.begin(KindEvent+8, 4, now, want), e)
	return w.end()
}

// ParseRouteEvent reads the block of an event.
func ParseRouteEvent(s string) (e sdk.RouteEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+8)
	if b.err == nil {
		now = b.Time()
		b.getRouteEvent(at, n, &e)
	}
	return e, now, b.err
}

// RouteAnswer makes the block of an answer.
func (w *Writer) RouteAnswer(a *sdk.RouteAnswer) []byte {
	w.putRouteAnswer(w.begin(KindAnswer+8, 5, time.Time{}, nil), a)
	return w.end()
}

// ParseRouteAnswer reads the block of an answer.
func ParseRouteAnswer(s string) (a sdk.RouteAnswer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+8)
	if b.err == nil {
		b.getRouteAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.RouteAnswer{}, b.err
	}
	return a, nil
}

// DeliverEvent makes the block of an event.
func (w *Writer) DeliverEvent(now time.Time, e *sdk.DeliverEvent, want *Want) []byte {
	w.putDeliverEvent(w.begin(KindEvent+9, 5, now, want), e)
	return w.end()
}

// ParseDeliverEvent reads the block of an event.
func ParseDeliverEvent(s string) (e sdk.DeliverEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+9)
	if b.err == nil {
		now = b.Time()
		b.getDeliverEvent(at, n, &e)
	}
	return e, now, b.err
}

// DeliverAnswer makes the block of an answer.
func (w *Writer) DeliverAnswer(a *sdk.DeliverAnswer) []byte {
	w.putDeliverAnswer(w.begin(KindAnswer+9, 1, time.Time{}, nil), a)
	return w.end()
}

// ParseDeliverAnswer reads the block of an answer.
func ParseDeliverAnswer(s string) (a sdk.DeliverAnswer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+9)
	if b.err == nil {
		b.getDeliverAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.DeliverAnswer{}, b.err
	}
	return a, nil
}

// OutcomeEvent makes the block of an event.
func (w *Writer) OutcomeEvent(now time.Time, e *sdk.OutcomeEvent, want *Want) []byte {
	w.putOutcomeEvent(w.begin(KindEvent+10, 6, now, want), e)
	return w.end()
}

// ParseOutcomeEvent reads the block of an event.
func ParseOutcomeEvent(s string) (e sdk.OutcomeEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+10)
	if b.err == nil {
		now = b.Time()
		b.getOutcomeEvent(at, n, &e)
	}
	return e, now, b.err
}

// OutcomeAnswer makes the block of an answer.
func (w *Writer) OutcomeAnswer(a *sdk.OutcomeAnswer) []byte {
	w.putOutcomeAnswer(w.begin(KindAnswer+10, 5, time.Time{}, nil), a)
	return w.end()
}

// ParseOutcomeAnswer reads the block of an answer.
func ParseOutcomeAnswer(s string) (a sdk.OutcomeAnswer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+10)
	if b.err == nil {
		b.getOutcomeAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.OutcomeAnswer{}, b.err
	}
	return a, nil
}

// BounceEvent makes the block of an event.
func (w *Writer) BounceEvent(now time.Time, e *sdk.BounceEvent, want *Want) []byte {
	w.putBounceEvent(w.begin(KindEvent+11, 6, now, want), e)
	return w.end()
}

// ParseBounceEvent reads the block of an event.
func ParseBounceEvent(s string) (e sdk.BounceEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+11)
	if b.err == nil {
		now = b.Time()
		b.getBounceEvent(at, n, &e)
	}
	return e, now, b.err
}

// BounceAnswer makes the block of an answer.
func (w *Writer) BounceAnswer(a *sdk.BounceAnswer) []byte {
	w.putBounceAnswer(w.begin(KindAnswer+11, 5, time.Time{}, nil), a)
	return w.end()
}

// ParseBounceAnswer reads the block of an answer.
func ParseBounceAnswer(s string) (a sdk.BounceAnswer, err error) {
	var b Block
	at, n := b.parse(s, KindAnswer+11)
	if b.err == nil {
		b.getBounceAnswer(at, n, &a)
	}
	if b.err != nil {
		return sdk.BounceAnswer{}, b.err
	}
	return a, nil
}

// DisconnectEvent makes the block of an event.
func (w *Writer) DisconnectEvent(now time.Time, e *sdk.DisconnectEvent, want *Want) []byte {
	w.putDisconnectEvent(w.begin(KindEvent+12, 3, now, want), e)
	return w.end()
}

// ParseDisconnectEvent reads the block of an event.
func ParseDisconnectEvent(s string) (e sdk.DisconnectEvent, now time.Time, err error) {
	var b Block
	at, n := b.parse(s, KindEvent+12)
	if b.err == nil {
		now = b.Time()
		b.getDisconnectEvent(at, n, &e)
	}
	return e, now, b.err
}

// LogCall makes the block of a call.
func (w *Writer) LogCall(v *sdk.LogCall) []byte {
	w.putLogCall(w.begin(KindCall+1, 2, time.Time{}, nil), v)
	return w.end()
}

// ParseLogCall reads the block of a call.
func ParseLogCall(s string) (v sdk.LogCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+1)
	if b.err == nil {
		b.getLogCall(at, n, &v)
	}
	return v, b.err
}

// LogResult makes the block of a result.
func (w *Writer) LogResult(v *sdk.LogResult) []byte {
	w.putLogResult(w.begin(KindResult+1, 0, time.Time{}, nil), v)
	return w.end()
}

// ParseLogResult reads the block of a result.
func ParseLogResult(s string) (v sdk.LogResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+1)
	if b.err == nil {
		b.getLogResult(at, n, &v)
	}
	return v, b.err
}

// NowCall makes the block of a call.
func (w *Writer) NowCall(v *sdk.NowCall) []byte {
	w.putNowCall(w.begin(KindCall+2, 0, time.Time{}, nil), v)
	return w.end()
}

// ParseNowCall reads the block of a call.
func ParseNowCall(s string) (v sdk.NowCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+2)
	if b.err == nil {
		b.getNowCall(at, n, &v)
	}
	return v, b.err
}

// NowResult makes the block of a result.
func (w *Writer) NowResult(v *sdk.NowResult) []byte {
	w.putNowResult(w.begin(KindResult+2, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseNowResult reads the block of a result.
func ParseNowResult(s string) (v sdk.NowResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+2)
	if b.err == nil {
		b.getNowResult(at, n, &v)
	}
	return v, b.err
}

// RandomCall makes the block of a call.
func (w *Writer) RandomCall(v *sdk.RandomCall) []byte {
	w.putRandomCall(w.begin(KindCall+3, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseRandomCall reads the block of a call.
func ParseRandomCall(s string) (v sdk.RandomCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+3)
	if b.err == nil {
		b.getRandomCall(at, n, &v)
	}
	return v, b.err
}

// RandomResult makes the block of a result.
func (w *Writer) RandomResult(v *sdk.RandomResult) []byte {
	w.putRandomResult(w.begin(KindResult+3, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseRandomResult reads the block of a result.
func ParseRandomResult(s string) (v sdk.RandomResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+3)
	if b.err == nil {
		b.getRandomResult(at, n, &v)
	}
	return v, b.err
}

// MetricCall makes the block of a call.
func (w *Writer) MetricCall(v *sdk.MetricCall) []byte {
	w.putMetricCall(w.begin(KindCall+4, 3, time.Time{}, nil), v)
	return w.end()
}

// ParseMetricCall reads the block of a call.
func ParseMetricCall(s string) (v sdk.MetricCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+4)
	if b.err == nil {
		b.getMetricCall(at, n, &v)
	}
	return v, b.err
}

// MetricResult makes the block of a result.
func (w *Writer) MetricResult(v *sdk.MetricResult) []byte {
	w.putMetricResult(w.begin(KindResult+4, 0, time.Time{}, nil), v)
	return w.end()
}

// ParseMetricResult reads the block of a result.
func ParseMetricResult(s string) (v sdk.MetricResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+4)
	if b.err == nil {
		b.getMetricResult(at, n, &v)
	}
	return v, b.err
}

// KVGetCall makes the block of a call.
func (w *Writer) KVGetCall(v *sdk.KVGetCall) []byte {
	w.putKVGetCall(w.begin(KindCall+5, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseKVGetCall reads the block of a call.
func ParseKVGetCall(s string) (v sdk.KVGetCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+5)
	if b.err == nil {
		b.getKVGetCall(at, n, &v)
	}
	return v, b.err
}

// KVGetResult makes the block of a result.
func (w *Writer) KVGetResult(v *sdk.KVGetResult) []byte {
	w.putKVGetResult(w.begin(KindResult+5, 2, time.Time{}, nil), v)
	return w.end()
}

// ParseKVGetResult reads the block of a result.
func ParseKVGetResult(s string) (v sdk.KVGetResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+5)
	if b.err == nil {
		b.getKVGetResult(at, n, &v)
	}
	return v, b.err
}

// KVSetCall makes the block of a call.
func (w *Writer) KVSetCall(v *sdk.KVSetCall) []byte {
	w.putKVSetCall(w.begin(KindCall+6, 3, time.Time{}, nil), v)
	return w.end()
}

// ParseKVSetCall reads the block of a call.
func ParseKVSetCall(s string) (v sdk.KVSetCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+6)
	if b.err == nil {
		b.getKVSetCall(at, n, &v)
	}
	return v, b.err
}

// KVSetResult makes the block of a result.
func (w *Writer) KVSetResult(v *sdk.KVSetResult) []byte {
	w.putKVSetResult(w.begin(KindResult+6, 0, time.Time{}, nil), v)
	return w.end()
}

// ParseKVSetResult reads the block of a result.
func ParseKVSetResult(s string) (v sdk.KVSetResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+6)
	if b.err == nil {
		b.getKVSetResult(at, n, &v)
	}
	return v, b.err
}

// KVSwapCall makes the block of a call.
func (w *Writer) KVSwapCall(v *sdk.KVSwapCall) []byte {
	w.putKVSwapCall(w.begin(KindCall+7, 6, time.Time{}, nil), v)
	return w.end()
}

// ParseKVSwapCall reads the block of a call.
func ParseKVSwapCall(s string) (v sdk.KVSwapCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+7)
	if b.err == nil {
		b.getKVSwapCall(at, n, &v)
	}
	return v, b.err
}

// KVSwapResult makes the block of a result.
func (w *Writer) KVSwapResult(v *sdk.KVSwapResult) []byte {
	w.putKVSwapResult(w.begin(KindResult+7, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseKVSwapResult reads the block of a result.
func ParseKVSwapResult(s string) (v sdk.KVSwapResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+7)
	if b.err == nil {
		b.getKVSwapResult(at, n, &v)
	}
	return v, b.err
}

// KVAddCall makes the block of a call.
func (w *Writer) KVAddCall(v *sdk.KVAddCall) []byte {
	w.putKVAddCall(w.begin(KindCall+8, 3, time.Time{}, nil), v)
	return w.end()
}

// ParseKVAddCall reads the block of a call.
func ParseKVAddCall(s string) (v sdk.KVAddCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+8)
	if b.err == nil {
		b.getKVAddCall(at, n, &v)
	}
	return v, b.err
}

// KVAddResult makes the block of a result.
func (w *Writer) KVAddResult(v *sdk.KVAddResult) []byte {
	w.putKVAddResult(w.begin(KindResult+8, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseKVAddResult reads the block of a result.
func ParseKVAddResult(s string) (v sdk.KVAddResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+8)
	if b.err == nil {
		b.getKVAddResult(at, n, &v)
	}
	return v, b.err
}

// KVDeleteCall makes the block of a call.
func (w *Writer) KVDeleteCall(v *sdk.KVDeleteCall) []byte {
	w.putKVDeleteCall(w.begin(KindCall+9, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseKVDeleteCall reads the block of a call.
func ParseKVDeleteCall(s string) (v sdk.KVDeleteCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+9)
	if b.err == nil {
		b.getKVDeleteCall(at, n, &v)
	}
	return v, b.err
}

// KVDeleteResult makes the block of a result.
func (w *Writer) KVDeleteResult(v *sdk.KVDeleteResult) []byte {
	w.putKVDeleteResult(w.begin(KindResult+9, 0, time.Time{}, nil), v)
	return w.end()
}

// ParseKVDeleteResult reads the block of a result.
func ParseKVDeleteResult(s string) (v sdk.KVDeleteResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+9)
	if b.err == nil {
		b.getKVDeleteResult(at, n, &v)
	}
	return v, b.err
}

// LookupCall makes the block of a call.
func (w *Writer) LookupCall(v *sdk.LookupCall) []byte {
	w.putLookupCall(w.begin(KindCall+10, 2, time.Time{}, nil), v)
	return w.end()
}

// ParseLookupCall reads the block of a call.
func ParseLookupCall(s string) (v sdk.LookupCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+10)
	if b.err == nil {
		b.getLookupCall(at, n, &v)
	}
	return v, b.err
}

// LookupResult makes the block of a result.
func (w *Writer) LookupResult(v *sdk.LookupResult) []byte {
	w.putLookupResult(w.begin(KindResult+10, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseLookupResult reads the block of a result.
func ParseLookupResult(s string) (v sdk.LookupResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+10)
	if b.err == nil {
		b.getLookupResult(at, n, &v)
	}
	return v, b.err
}

// MXCall makes the block of a call.
func (w *Writer) MXCall(v *sdk.MXCall) []byte {
	w.putMXCall(w.begin(KindCall+11, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseMXCall reads the block of a call.
func ParseMXCall(s string) (v sdk.MXCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+11)
	if b.err == nil {
		b.getMXCall(at, n, &v)
	}
	return v, b.err
}

// MXResult makes the block of a result.
func (w *Writer) MXResult(v *sdk.MXResult) []byte {
	w.putMXResult(w.begin(KindResult+11, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseMXResult reads the block of a result.
func ParseMXResult(s string) (v sdk.MXResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+11)
	if b.err == nil {
		b.getMXResult(at, n, &v)
	}
	return v, b.err
}

// HTTPCall makes the block of a call.
func (w *Writer) HTTPCall(v *sdk.HTTPCall) []byte {
	w.putHTTPCall(w.begin(KindCall+12, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseHTTPCall reads the block of a call.
func ParseHTTPCall(s string) (v sdk.HTTPCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+12)
	if b.err == nil {
		b.getHTTPCall(at, n, &v)
	}
	return v, b.err
}

// HTTPResult makes the block of a result.
func (w *Writer) HTTPResult(v *sdk.HTTPResult) []byte {
	w.putHTTPResult(w.begin(KindResult+12, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseHTTPResult reads the block of a result.
func ParseHTTPResult(s string) (v sdk.HTTPResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+12)
	if b.err == nil {
		b.getHTTPResult(at, n, &v)
	}
	return v, b.err
}

// ReadCall makes the block of a call.
func (w *Writer) ReadCall(v *sdk.ReadCall) []byte {
	w.putReadCall(w.begin(KindCall+13, 2, time.Time{}, nil), v)
	return w.end()
}

// ParseReadCall reads the block of a call.
func ParseReadCall(s string) (v sdk.ReadCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+13)
	if b.err == nil {
		b.getReadCall(at, n, &v)
	}
	return v, b.err
}

// ReadResult makes the block of a result.
func (w *Writer) ReadResult(v *sdk.ReadResult) []byte {
	w.putReadResult(w.begin(KindResult+13, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseReadResult reads the block of a result.
func ParseReadResult(s string) (v sdk.ReadResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+13)
	if b.err == nil {
		b.getReadResult(at, n, &v)
	}
	return v, b.err
}

// HeaderCall makes the block of a call.
func (w *Writer) HeaderCall(v *sdk.HeaderCall) []byte {
	w.putHeaderCall(w.begin(KindCall+14, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseHeaderCall reads the block of a call.
func ParseHeaderCall(s string) (v sdk.HeaderCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+14)
	if b.err == nil {
		b.getHeaderCall(at, n, &v)
	}
	return v, b.err
}

// HeaderResult makes the block of a result.
func (w *Writer) HeaderResult(v *sdk.HeaderResult) []byte {
	w.putHeaderResult(w.begin(KindResult+14, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseHeaderResult reads the block of a result.
func ParseHeaderResult(s string) (v sdk.HeaderResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+14)
	if b.err == nil {
		b.getHeaderResult(at, n, &v)
	}
	return v, b.err
}

// SendCall makes the block of a call.
func (w *Writer) SendCall(v *sdk.SendCall) []byte {
	w.putSendCall(w.begin(KindCall+15, 4, time.Time{}, nil), v)
	return w.end()
}

// ParseSendCall reads the block of a call.
func ParseSendCall(s string) (v sdk.SendCall, err error) {
	var b Block
	at, n := b.parse(s, KindCall+15)
	if b.err == nil {
		b.getSendCall(at, n, &v)
	}
	return v, b.err
}

// SendResult makes the block of a result.
func (w *Writer) SendResult(v *sdk.SendResult) []byte {
	w.putSendResult(w.begin(KindResult+15, 1, time.Time{}, nil), v)
	return w.end()
}

// ParseSendResult reads the block of a result.
func ParseSendResult(s string) (v sdk.SendResult, err error) {
	var b Block
	at, n := b.parse(s, KindResult+15)
	if b.err == nil {
		b.getSendResult(at, n, &v)
	}
	return v, b.err
}
