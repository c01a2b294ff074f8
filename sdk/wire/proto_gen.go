// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

package wire

import (
	"fmt"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func (w *ProtoWriter) putSession(v *sdk.Session) {
	m := w.want[recordSession]
	if m&(1<<0) != 0 {
		w.String(1, v.ID)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Profile)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.LocalAddr)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.RemoteIP)
	}
	if m&(1<<4) != 0 {
		w.Int(5, int64(v.RemotePort))
	}
	if m&(1<<5) != 0 {
		w.String(6, v.RemoteName)
	}
	if m&(1<<6) != 0 {
		w.String(7, v.Helo)
	}
	if m&(1<<7) != 0 {
		w.String(8, v.Protocol)
	}
	if m&(1<<8) != 0 {
		w.String(9, v.TLS)
	}
	if m&(1<<9) != 0 {
		w.String(10, v.Login)
	}
	if m&(1<<10) != 0 {
		w.Time(11, v.Started)
	}
	if m&(1<<11) != 0 {
		w.notes(12, v.Notes)
	}
}

func (r *ProtoReader) getSession(v *sdk.Session) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.ID = r.Text()
		case 2:
			v.Profile = r.Text()
		case 3:
			v.LocalAddr = r.Text()
		case 4:
			v.RemoteIP = r.Text()
		case 5:
			v.RemotePort = int(r.Int())
		case 6:
			v.RemoteName = r.Text()
		case 7:
			v.Helo = r.Text()
		case 8:
			v.Protocol = r.Text()
		case 9:
			v.TLS = r.Text()
		case 10:
			v.Login = r.Text()
		case 11:
			v.Started = r.Time()
		case 12:
			r.note(&v.Notes)
		}
	}
}

func (w *ProtoWriter) putRecipient(v *sdk.Recipient) {
	m := w.want[recordRecipient]
	if m&(1<<0) != 0 {
		w.String(1, v.Addr)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Orig)
	}
	if m&(1<<2) != 0 {
		w.Int(3, int64(v.Notify))
	}
	if m&(1<<3) != 0 {
		w.String(4, v.ORcpt)
	}
}

func (r *ProtoReader) getRecipient(v *sdk.Recipient) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Addr = r.Text()
		case 2:
			v.Orig = r.Text()
		case 3:
			v.Notify = sdk.Notify(r.enum())
		case 4:
			v.ORcpt = r.Text()
		}
	}
}

func (w *ProtoWriter) putEnvelope(v *sdk.Envelope) {
	m := w.want[recordEnvelope]
	if m&(1<<0) != 0 {
		w.String(1, v.ID)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.From)
	}
	if m&(1<<2) != 0 {
		for i := range v.Recipients {
			at := w.Begin(3)
			w.putRecipient(&v.Recipients[i])
			w.End(at)
		}
	}
	if m&(1<<3) != 0 {
		w.Int(4, int64(v.Size))
	}
	if m&(1<<4) != 0 {
		w.String(5, v.Body)
	}
	if m&(1<<5) != 0 {
		w.bool(6, v.SMTPUTF8)
	}
	if m&(1<<6) != 0 {
		w.bool(7, v.RequireTLS)
	}
	if m&(1<<7) != 0 {
		w.String(8, v.Ret)
	}
	if m&(1<<8) != 0 {
		w.String(9, v.EnvID)
	}
	if m&(1<<9) != 0 {
		w.Time(10, v.Arrived)
	}
	if m&(1<<10) != 0 {
		start := len(w.b)
		at := w.Begin(11)
		w.putOrigin(&v.Origin)
		w.drop(start, at)
	}
	if m&(1<<11) != 0 {
		w.notes(12, v.Notes)
	}
}

func (r *ProtoReader) getEnvelope(v *sdk.Envelope) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.ID = r.Text()
		case 2:
			v.From = r.Text()
		case 3:
			e := r.sub(r.Element())
			v.Recipients = append(v.Recipients, sdk.Recipient{})
			e.getRecipient(&v.Recipients[len(v.Recipients)-1])
		case 4:
			v.Size = int64(r.Int())
		case 5:
			v.Body = r.Text()
		case 6:
			v.SMTPUTF8 = r.bool()
		case 7:
			v.RequireTLS = r.bool()
		case 8:
			v.Ret = r.Text()
		case 9:
			v.EnvID = r.Text()
		case 10:
			v.Arrived = r.Time()
		case 11:
			e := r.sub(r.Text())
			e.getOrigin(&v.Origin)
		case 12:
			r.note(&v.Notes)
		}
	}
}

func (w *ProtoWriter) putOrigin(v *sdk.Origin) {
	m := w.want[recordOrigin]
	if m&(1<<0) != 0 {
		w.String(1, v.IP)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Name)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Helo)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.Protocol)
	}
	if m&(1<<4) != 0 {
		w.String(5, v.Login)
	}
	if m&(1<<5) != 0 {
		w.String(6, v.Profile)
	}
}

func (r *ProtoReader) getOrigin(v *sdk.Origin) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.IP = r.Text()
		case 2:
			v.Name = r.Text()
		case 3:
			v.Helo = r.Text()
		case 4:
			v.Protocol = r.Text()
		case 5:
			v.Login = r.Text()
		case 6:
			v.Profile = r.Text()
		}
	}
}

func (w *ProtoWriter) putMessage(v *sdk.Message) {
	m := w.want[recordMessage]
	if m&(1<<0) != 0 {
		w.String(1, v.ID)
	}
	if m&(1<<1) != 0 {
		w.Int(2, int64(v.Size))
	}
}

func (r *ProtoReader) getMessage(v *sdk.Message) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.ID = r.Text()
		case 2:
			v.Size = int64(r.Int())
		}
	}
}

func (w *ProtoWriter) putReply(v *sdk.Reply) {
	m := w.want[recordReply]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Code))
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Enhanced)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Text)
	}
}

func (r *ProtoReader) getReply(v *sdk.Reply) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Code = int(r.Int())
		case 2:
			v.Enhanced = r.Text()
		case 3:
			v.Text = r.Text()
		}
	}
}

func (w *ProtoWriter) putAnswer(v *sdk.Answer) {
	m := w.want[recordAnswer]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Action))
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putReply(&v.Reply)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Reason)
	}
	if m&(1<<3) != 0 {
		for i := range v.Edits {
			at := w.Begin(4)
			w.putEdit(&v.Edits[i])
			w.End(at)
		}
	}
	if m&(1<<4) != 0 {
		w.String(5, v.Identity)
	}
	if m&(1<<5) != 0 {
		for i := range v.Recipients {
			at := w.Begin(6)
			w.putVerdict(&v.Recipients[i])
			w.End(at)
		}
	}
}

func (r *ProtoReader) getAnswer(v *sdk.Answer) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Action = sdk.Action(r.enum())
		case 2:
			e := r.sub(r.Text())
			e.getReply(&v.Reply)
		case 3:
			v.Reason = r.Text()
		case 4:
			e := r.sub(r.Element())
			v.Edits = append(v.Edits, sdk.Edit{})
			e.getEdit(&v.Edits[len(v.Edits)-1])
		case 5:
			v.Identity = r.Text()
		case 6:
			e := r.sub(r.Element())
			v.Recipients = append(v.Recipients, sdk.Verdict{})
			e.getVerdict(&v.Recipients[len(v.Recipients)-1])
		}
	}
}

func (w *ProtoWriter) putVerdict(v *sdk.Verdict) {
	m := w.want[recordVerdict]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Action))
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putReply(&v.Reply)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Reason)
	}
}

func (r *ProtoReader) getVerdict(v *sdk.Verdict) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Action = sdk.Action(r.enum())
		case 2:
			e := r.sub(r.Text())
			e.getReply(&v.Reply)
		case 3:
			v.Reason = r.Text()
		}
	}
}

func (w *ProtoWriter) putEdit(v *sdk.Edit) {
	m := w.want[recordEdit]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Op))
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Name)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Value)
	}
	if m&(1<<3) != 0 {
		w.Int(4, int64(v.Index))
	}
	if m&(1<<4) != 0 {
		w.Blob(5, v.Data)
	}
}

func (r *ProtoReader) getEdit(v *sdk.Edit) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Op = sdk.Op(r.enum())
		case 2:
			v.Name = r.Text()
		case 3:
			v.Value = r.Text()
		case 4:
			v.Index = int(r.Int())
		case 5:
			v.Data = r.bytes()
		}
	}
}

func (w *ProtoWriter) putRouteAnswer(v *sdk.RouteAnswer) {
	m := w.want[recordRouteAnswer]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Action))
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putRoute(&v.Route)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		start := len(w.b)
		at := w.Begin(3)
		w.putReply(&v.Reply)
		w.drop(start, at)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.Reason)
	}
	if m&(1<<4) != 0 {
		w.Time(5, v.NotBefore)
	}
}

func (r *ProtoReader) getRouteAnswer(v *sdk.RouteAnswer) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Action = sdk.RouteAction(r.enum())
		case 2:
			e := r.sub(r.Text())
			e.getRoute(&v.Route)
		case 3:
			e := r.sub(r.Text())
			e.getReply(&v.Reply)
		case 4:
			v.Reason = r.Text()
		case 5:
			v.NotBefore = r.Time()
		}
	}
}

func (w *ProtoWriter) putRoute(v *sdk.Route) {
	m := w.want[recordRoute]
	if m&(1<<0) != 0 {
		w.String(1, v.Via)
	}
	if m&(1<<1) != 0 {
		w.Strings(2, v.Hosts)
	}
	if m&(1<<2) != 0 {
		w.bool(3, v.MX)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.TLS)
	}
	if m&(1<<4) != 0 {
		w.String(5, v.Source)
	}
	if m&(1<<5) != 0 {
		w.String(6, v.Pool)
	}
	if m&(1<<6) != 0 {
		w.String(7, v.Key)
	}
	if m&(1<<7) != 0 {
		w.String(8, v.User)
	}
	if m&(1<<8) != 0 {
		w.String(9, v.PasswordFile)
	}
	if m&(1<<9) != 0 {
		w.String(10, v.Rule)
	}
}

func (r *ProtoReader) getRoute(v *sdk.Route) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Via = r.Text()
		case 2:
			v.Hosts = append(v.Hosts, r.Element())
		case 3:
			v.MX = r.bool()
		case 4:
			v.TLS = r.Text()
		case 5:
			v.Source = r.Text()
		case 6:
			v.Pool = r.Text()
		case 7:
			v.Key = r.Text()
		case 8:
			v.User = r.Text()
		case 9:
			v.PasswordFile = r.Text()
		case 10:
			v.Rule = r.Text()
		}
	}
}

func (w *ProtoWriter) putOutcome(v *sdk.Outcome) {
	m := w.want[recordOutcome]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Status))
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putReply(&v.Reply)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Remote)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.TLS)
	}
	if m&(1<<4) != 0 {
		w.bool(5, v.RemoteReply)
	}
	if m&(1<<5) != 0 {
		w.bool(6, v.DSNRelayed)
	}
	if m&(1<<6) != 0 {
		w.bool(7, v.MaybeDuplicate)
	}
	if m&(1<<7) != 0 {
		w.bool(8, v.Unreachable)
	}
	if m&(1<<8) != 0 {
		w.Int(9, int64(v.Setup))
	}
	if m&(1<<9) != 0 {
		w.Int(10, int64(v.Transfer))
	}
	if m&(1<<10) != 0 {
		w.bool(11, v.Hold)
	}
}

func (r *ProtoReader) getOutcome(v *sdk.Outcome) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Status = sdk.Status(r.enum())
		case 2:
			e := r.sub(r.Text())
			e.getReply(&v.Reply)
		case 3:
			v.Remote = r.Text()
		case 4:
			v.TLS = r.Text()
		case 5:
			v.RemoteReply = r.bool()
		case 6:
			v.DSNRelayed = r.bool()
		case 7:
			v.MaybeDuplicate = r.bool()
		case 8:
			v.Unreachable = r.bool()
		case 9:
			v.Setup = time.Duration(r.Int())
		case 10:
			v.Transfer = time.Duration(r.Int())
		case 11:
			v.Hold = r.bool()
		}
	}
}

func (w *ProtoWriter) putDeliverAnswer(v *sdk.DeliverAnswer) {
	m := w.want[recordDeliverAnswer]
	if m&(1<<0) != 0 {
		for i := range v.Outcomes {
			at := w.Begin(1)
			w.putOutcome(&v.Outcomes[i])
			w.End(at)
		}
	}
}

func (r *ProtoReader) getDeliverAnswer(v *sdk.DeliverAnswer) {
	for r.Next() {
		switch r.Field {
		case 1:
			e := r.sub(r.Element())
			v.Outcomes = append(v.Outcomes, sdk.Outcome{})
			e.getOutcome(&v.Outcomes[len(v.Outcomes)-1])
		}
	}
}

func (w *ProtoWriter) putOutcomeAnswer(v *sdk.OutcomeAnswer) {
	m := w.want[recordOutcomeAnswer]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Status))
	}
	if m&(1<<1) != 0 {
		w.Int(2, int64(v.Delay))
	}
	if m&(1<<2) != 0 {
		start := len(w.b)
		at := w.Begin(3)
		w.putReply(&v.Reply)
		w.drop(start, at)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.Reason)
	}
	if m&(1<<4) != 0 {
		w.bool(5, v.Hold)
	}
}

func (r *ProtoReader) getOutcomeAnswer(v *sdk.OutcomeAnswer) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Status = sdk.Status(r.enum())
		case 2:
			v.Delay = time.Duration(r.Int())
		case 3:
			e := r.sub(r.Text())
			e.getReply(&v.Reply)
		case 4:
			v.Reason = r.Text()
		case 5:
			v.Hold = r.bool()
		}
	}
}

func (w *ProtoWriter) putBounceAnswer(v *sdk.BounceAnswer) {
	m := w.want[recordBounceAnswer]
	if m&(1<<0) != 0 {
		w.bool(1, v.Suppress)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Reason)
	}
	if m&(1<<2) != 0 {
		for i := range v.Edits {
			at := w.Begin(3)
			w.putEdit(&v.Edits[i])
			w.End(at)
		}
	}
	if m&(1<<3) != 0 {
		w.bool(4, v.Defer)
	}
	if m&(1<<4) != 0 {
		w.bool(5, v.Hold)
	}
}

func (r *ProtoReader) getBounceAnswer(v *sdk.BounceAnswer) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Suppress = r.bool()
		case 2:
			v.Reason = r.Text()
		case 3:
			e := r.sub(r.Element())
			v.Edits = append(v.Edits, sdk.Edit{})
			e.getEdit(&v.Edits[len(v.Edits)-1])
		case 4:
			v.Defer = r.bool()
		case 5:
			v.Hold = r.bool()
		}
	}
}

func (w *ProtoWriter) putConnectEvent(v *sdk.ConnectEvent) {
	m := w.want[recordConnectEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
}

func (r *ProtoReader) getConnectEvent(v *sdk.ConnectEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		}
	}
}

func (w *ProtoWriter) putHeloEvent(v *sdk.HeloEvent) {
	m := w.want[recordHeloEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		w.bool(2, v.Extended)
	}
}

func (r *ProtoReader) getHeloEvent(v *sdk.HeloEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			v.Extended = r.bool()
		}
	}
}

func (w *ProtoWriter) putAuthEvent(v *sdk.AuthEvent) {
	m := w.want[recordAuthEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Mechanism)
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Username)
	}
	if m&(1<<3) != 0 {
		w.String(4, v.Password)
	}
	if m&(1<<4) != 0 {
		w.String(5, v.AuthzID)
	}
}

func (r *ProtoReader) getAuthEvent(v *sdk.AuthEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			v.Mechanism = r.Text()
		case 3:
			v.Username = r.Text()
		case 4:
			v.Password = r.Text()
		case 5:
			v.AuthzID = r.Text()
		}
	}
}

func (w *ProtoWriter) putMailEvent(v *sdk.MailEvent) {
	m := w.want[recordMailEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		at := w.Begin(2)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
}

func (r *ProtoReader) getMailEvent(v *sdk.MailEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		}
	}
}

func (w *ProtoWriter) putRcptEvent(v *sdk.RcptEvent) {
	m := w.want[recordRcptEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		at := w.Begin(2)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
	if m&(1<<2) != 0 {
		start := len(w.b)
		at := w.Begin(3)
		w.putRecipient(&v.Recipient)
		w.drop(start, at)
	}
}

func (r *ProtoReader) getRcptEvent(v *sdk.RcptEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		case 3:
			e := r.sub(r.Text())
			e.getRecipient(&v.Recipient)
		}
	}
}

func (w *ProtoWriter) putPredataEvent(v *sdk.PredataEvent) {
	m := w.want[recordPredataEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		at := w.Begin(2)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
}

func (r *ProtoReader) getPredataEvent(v *sdk.PredataEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		}
	}
}

func (w *ProtoWriter) putDataEvent(v *sdk.DataEvent) {
	m := w.want[recordDataEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 && v.Envelope != nil {
		at := w.Begin(2)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
	if m&(1<<2) != 0 {
		start := len(w.b)
		at := w.Begin(3)
		w.putMessage(&v.Message)
		w.drop(start, at)
	}
}

func (r *ProtoReader) getDataEvent(v *sdk.DataEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		case 3:
			e := r.sub(r.Text())
			e.getMessage(&v.Message)
		}
	}
}

func (w *ProtoWriter) putRouteEvent(v *sdk.RouteEvent) {
	m := w.want[recordRouteEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		at := w.Begin(1)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putRecipient(&v.Recipient)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		w.Int(3, int64(v.Attempt))
	}
	if m&(1<<3) != 0 {
		start := len(w.b)
		at := w.Begin(4)
		w.putOutcome(&v.Last)
		w.drop(start, at)
	}
}

func (r *ProtoReader) getRouteEvent(v *sdk.RouteEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		case 2:
			e := r.sub(r.Text())
			e.getRecipient(&v.Recipient)
		case 3:
			v.Attempt = int(r.Int())
		case 4:
			e := r.sub(r.Text())
			e.getOutcome(&v.Last)
		}
	}
}

func (w *ProtoWriter) putDeliverEvent(v *sdk.DeliverEvent) {
	m := w.want[recordDeliverEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		at := w.Begin(1)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putMessage(&v.Message)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		for i := range v.Recipients {
			at := w.Begin(3)
			w.putRecipient(&v.Recipients[i])
			w.End(at)
		}
	}
	if m&(1<<3) != 0 {
		start := len(w.b)
		at := w.Begin(4)
		w.putRoute(&v.Route)
		w.drop(start, at)
	}
	if m&(1<<4) != 0 {
		w.Int(5, int64(v.Attempt))
	}
}

func (r *ProtoReader) getDeliverEvent(v *sdk.DeliverEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		case 2:
			e := r.sub(r.Text())
			e.getMessage(&v.Message)
		case 3:
			e := r.sub(r.Element())
			v.Recipients = append(v.Recipients, sdk.Recipient{})
			e.getRecipient(&v.Recipients[len(v.Recipients)-1])
		case 4:
			e := r.sub(r.Text())
			e.getRoute(&v.Route)
		case 5:
			v.Attempt = int(r.Int())
		}
	}
}

func (w *ProtoWriter) putOutcomeEvent(v *sdk.OutcomeEvent) {
	m := w.want[recordOutcomeEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		at := w.Begin(1)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		start := len(w.b)
		at := w.Begin(2)
		w.putRecipient(&v.Recipient)
		w.drop(start, at)
	}
	if m&(1<<2) != 0 {
		start := len(w.b)
		at := w.Begin(3)
		w.putRoute(&v.Route)
		w.drop(start, at)
	}
	if m&(1<<3) != 0 {
		w.Int(4, int64(v.Attempt))
	}
	if m&(1<<4) != 0 {
		start := len(w.b)
		at := w.Begin(5)
		w.putOutcome(&v.Outcome)
		w.drop(start, at)
	}
	if m&(1<<5) != 0 {
		w.Time(6, v.Next)
	}
}

func (r *ProtoReader) getOutcomeEvent(v *sdk.OutcomeEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		case 2:
			e := r.sub(r.Text())
			e.getRecipient(&v.Recipient)
		case 3:
			e := r.sub(r.Text())
			e.getRoute(&v.Route)
		case 4:
			v.Attempt = int(r.Int())
		case 5:
			e := r.sub(r.Text())
			e.getOutcome(&v.Outcome)
		case 6:
			v.Next = r.Time()
		}
	}
}

func (w *ProtoWriter) putBounceEvent(v *sdk.BounceEvent) {
	m := w.want[recordBounceEvent]
	if m&(1<<0) != 0 && v.Envelope != nil {
		at := w.Begin(1)
		w.putEnvelope(v.Envelope)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		w.Int(2, int64(v.Kind))
	}
	if m&(1<<2) != 0 {
		for i := range v.Recipients {
			at := w.Begin(3)
			w.putRecipient(&v.Recipients[i])
			w.End(at)
		}
	}
	if m&(1<<3) != 0 {
		for i := range v.Outcomes {
			at := w.Begin(4)
			w.putOutcome(&v.Outcomes[i])
			w.End(at)
		}
	}
	if m&(1<<4) != 0 {
		start := len(w.b)
		at := w.Begin(5)
		w.putMessage(&v.Message)
		w.drop(start, at)
	}
	if m&(1<<5) != 0 {
		w.String(6, v.To)
	}
}

func (r *ProtoReader) getBounceEvent(v *sdk.BounceEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Envelope == nil {
				v.Envelope = new(sdk.Envelope)
			}
			e := r.sub(r.Text())
			e.getEnvelope(v.Envelope)
		case 2:
			v.Kind = sdk.DSNKind(r.enum())
		case 3:
			e := r.sub(r.Element())
			v.Recipients = append(v.Recipients, sdk.Recipient{})
			e.getRecipient(&v.Recipients[len(v.Recipients)-1])
		case 4:
			e := r.sub(r.Element())
			v.Outcomes = append(v.Outcomes, sdk.Outcome{})
			e.getOutcome(&v.Outcomes[len(v.Outcomes)-1])
		case 5:
			e := r.sub(r.Text())
			e.getMessage(&v.Message)
		case 6:
			v.To = r.Text()
		}
	}
}

func (w *ProtoWriter) putDisconnectEvent(v *sdk.DisconnectEvent) {
	m := w.want[recordDisconnectEvent]
	if m&(1<<0) != 0 && v.Session != nil {
		at := w.Begin(1)
		w.putSession(v.Session)
		w.End(at)
	}
	if m&(1<<1) != 0 {
		w.Int(2, int64(v.Messages))
	}
	if m&(1<<2) != 0 {
		w.String(3, v.Reason)
	}
}

func (r *ProtoReader) getDisconnectEvent(v *sdk.DisconnectEvent) {
	for r.Next() {
		switch r.Field {
		case 1:
			if v.Session == nil {
				v.Session = new(sdk.Session)
			}
			e := r.sub(r.Text())
			e.getSession(v.Session)
		case 2:
			v.Messages = int(r.Int())
		case 3:
			v.Reason = r.Text()
		}
	}
}

func (w *ProtoWriter) putHTTPRequest(v *sdk.HTTPRequest) {
	m := w.want[recordHTTPRequest]
	if m&(1<<0) != 0 {
		w.String(1, v.Method)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.URL)
	}
	if m&(1<<2) != 0 {
		for i := range v.Header {
			at := w.Begin(3)
			w.putHTTPField(&v.Header[i])
			w.End(at)
		}
	}
	if m&(1<<3) != 0 {
		w.Blob(4, v.Body)
	}
}

func (r *ProtoReader) getHTTPRequest(v *sdk.HTTPRequest) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Method = r.Text()
		case 2:
			v.URL = r.Text()
		case 3:
			e := r.sub(r.Element())
			v.Header = append(v.Header, sdk.HTTPField{})
			e.getHTTPField(&v.Header[len(v.Header)-1])
		case 4:
			v.Body = r.bytes()
		}
	}
}

func (w *ProtoWriter) putHTTPResponse(v *sdk.HTTPResponse) {
	m := w.want[recordHTTPResponse]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Status))
	}
	if m&(1<<1) != 0 {
		for i := range v.Header {
			at := w.Begin(2)
			w.putHTTPField(&v.Header[i])
			w.End(at)
		}
	}
	if m&(1<<2) != 0 {
		w.Blob(3, v.Body)
	}
}

func (r *ProtoReader) getHTTPResponse(v *sdk.HTTPResponse) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Status = int(r.Int())
		case 2:
			e := r.sub(r.Element())
			v.Header = append(v.Header, sdk.HTTPField{})
			e.getHTTPField(&v.Header[len(v.Header)-1])
		case 3:
			v.Body = r.bytes()
		}
	}
}

func (w *ProtoWriter) putHTTPField(v *sdk.HTTPField) {
	m := w.want[recordHTTPField]
	if m&(1<<0) != 0 {
		w.String(1, v.Name)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Value)
	}
}

func (r *ProtoReader) getHTTPField(v *sdk.HTTPField) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Name = r.Text()
		case 2:
			v.Value = r.Text()
		}
	}
}

func (w *ProtoWriter) putMX(v *sdk.MX) {
	m := w.want[recordMX]
	if m&(1<<0) != 0 {
		w.Strings(1, v.Hosts)
	}
	if m&(1<<1) != 0 {
		w.bool(2, v.Null)
	}
	if m&(1<<2) != 0 {
		w.bool(3, v.Implicit)
	}
	if m&(1<<3) != 0 {
		w.bool(4, v.Loops)
	}
	if m&(1<<4) != 0 {
		w.bool(5, v.NoDomain)
	}
}

func (r *ProtoReader) getMX(v *sdk.MX) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Hosts = append(v.Hosts, r.Element())
		case 2:
			v.Null = r.bool()
		case 3:
			v.Implicit = r.bool()
		case 4:
			v.Loops = r.bool()
		case 5:
			v.NoDomain = r.bool()
		}
	}
}

func (w *ProtoWriter) putLogCall(v *sdk.LogCall) {
	m := w.want[recordLogCall]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Level))
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Text)
	}
}

func (r *ProtoReader) getLogCall(v *sdk.LogCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Level = int(r.Int())
		case 2:
			v.Text = r.Text()
		}
	}
}

func (w *ProtoWriter) putLogResult(*sdk.LogResult) {}

func (r *ProtoReader) getLogResult(*sdk.LogResult) {
	for r.Next() {
	}
}

func (w *ProtoWriter) putNowCall(*sdk.NowCall) {}

func (r *ProtoReader) getNowCall(*sdk.NowCall) {
	for r.Next() {
	}
}

func (w *ProtoWriter) putNowResult(v *sdk.NowResult) {
	m := w.want[recordNowResult]
	if m&(1<<0) != 0 {
		w.Time(1, v.Time)
	}
}

func (r *ProtoReader) getNowResult(v *sdk.NowResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Time = r.Time()
		}
	}
}

func (w *ProtoWriter) putRandomCall(v *sdk.RandomCall) {
	m := w.want[recordRandomCall]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Size))
	}
}

func (r *ProtoReader) getRandomCall(v *sdk.RandomCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Size = int(r.Int())
		}
	}
}

func (w *ProtoWriter) putRandomResult(v *sdk.RandomResult) {
	m := w.want[recordRandomResult]
	if m&(1<<0) != 0 {
		w.Blob(1, v.Data)
	}
}

func (r *ProtoReader) getRandomResult(v *sdk.RandomResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Data = r.bytes()
		}
	}
}

func (w *ProtoWriter) putMetricCall(v *sdk.MetricCall) {
	m := w.want[recordMetricCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Name)
	}
	if m&(1<<1) != 0 {
		w.bool(2, v.Gauge)
	}
	if m&(1<<2) != 0 {
		w.float(3, v.Value)
	}
}

func (r *ProtoReader) getMetricCall(v *sdk.MetricCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Name = r.Text()
		case 2:
			v.Gauge = r.bool()
		case 3:
			v.Value = r.float()
		}
	}
}

func (w *ProtoWriter) putMetricResult(*sdk.MetricResult) {}

func (r *ProtoReader) getMetricResult(*sdk.MetricResult) {
	for r.Next() {
	}
}

func (w *ProtoWriter) putKVGetCall(v *sdk.KVGetCall) {
	m := w.want[recordKVGetCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Key)
	}
}

func (r *ProtoReader) getKVGetCall(v *sdk.KVGetCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Key = r.Text()
		}
	}
}

func (w *ProtoWriter) putKVGetResult(v *sdk.KVGetResult) {
	m := w.want[recordKVGetResult]
	if m&(1<<0) != 0 {
		w.bool(1, v.Found)
	}
	if m&(1<<1) != 0 {
		w.Blob(2, v.Value)
	}
}

func (r *ProtoReader) getKVGetResult(v *sdk.KVGetResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Found = r.bool()
		case 2:
			v.Value = r.bytes()
		}
	}
}

func (w *ProtoWriter) putKVSetCall(v *sdk.KVSetCall) {
	m := w.want[recordKVSetCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Key)
	}
	if m&(1<<1) != 0 {
		w.Blob(2, v.Value)
	}
	if m&(1<<2) != 0 {
		w.Int(3, int64(v.TTL))
	}
}

func (r *ProtoReader) getKVSetCall(v *sdk.KVSetCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Key = r.Text()
		case 2:
			v.Value = r.bytes()
		case 3:
			v.TTL = time.Duration(r.Int())
		}
	}
}

func (w *ProtoWriter) putKVSetResult(*sdk.KVSetResult) {}

func (r *ProtoReader) getKVSetResult(*sdk.KVSetResult) {
	for r.Next() {
	}
}

func (w *ProtoWriter) putKVSwapCall(v *sdk.KVSwapCall) {
	m := w.want[recordKVSwapCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Key)
	}
	if m&(1<<1) != 0 {
		w.bool(2, v.HasOld)
	}
	if m&(1<<2) != 0 {
		w.Blob(3, v.Old)
	}
	if m&(1<<3) != 0 {
		w.bool(4, v.HasNew)
	}
	if m&(1<<4) != 0 {
		w.Blob(5, v.New)
	}
	if m&(1<<5) != 0 {
		w.Int(6, int64(v.TTL))
	}
}

func (r *ProtoReader) getKVSwapCall(v *sdk.KVSwapCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Key = r.Text()
		case 2:
			v.HasOld = r.bool()
		case 3:
			v.Old = r.bytes()
		case 4:
			v.HasNew = r.bool()
		case 5:
			v.New = r.bytes()
		case 6:
			v.TTL = time.Duration(r.Int())
		}
	}
}

func (w *ProtoWriter) putKVSwapResult(v *sdk.KVSwapResult) {
	m := w.want[recordKVSwapResult]
	if m&(1<<0) != 0 {
		w.bool(1, v.Swapped)
	}
}

func (r *ProtoReader) getKVSwapResult(v *sdk.KVSwapResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Swapped = r.bool()
		}
	}
}

func (w *ProtoWriter) putKVAddCall(v *sdk.KVAddCall) {
	m := w.want[recordKVAddCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Key)
	}
	if m&(1<<1) != 0 {
		w.Int(2, int64(v.Delta))
	}
	if m&(1<<2) != 0 {
		w.Int(3, int64(v.TTL))
	}
}

func (r *ProtoReader) getKVAddCall(v *sdk.KVAddCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Key = r.Text()
		case 2:
			v.Delta = int64(r.Int())
		case 3:
			v.TTL = time.Duration(r.Int())
		}
	}
}

func (w *ProtoWriter) putKVAddResult(v *sdk.KVAddResult) {
	m := w.want[recordKVAddResult]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Value))
	}
}

func (r *ProtoReader) getKVAddResult(v *sdk.KVAddResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Value = int64(r.Int())
		}
	}
}

func (w *ProtoWriter) putKVDeleteCall(v *sdk.KVDeleteCall) {
	m := w.want[recordKVDeleteCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Key)
	}
}

func (r *ProtoReader) getKVDeleteCall(v *sdk.KVDeleteCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Key = r.Text()
		}
	}
}

func (w *ProtoWriter) putKVDeleteResult(*sdk.KVDeleteResult) {}

func (r *ProtoReader) getKVDeleteResult(*sdk.KVDeleteResult) {
	for r.Next() {
	}
}

func (w *ProtoWriter) putLookupCall(v *sdk.LookupCall) {
	m := w.want[recordLookupCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Kind)
	}
	if m&(1<<1) != 0 {
		w.String(2, v.Name)
	}
}

func (r *ProtoReader) getLookupCall(v *sdk.LookupCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Kind = r.Text()
		case 2:
			v.Name = r.Text()
		}
	}
}

func (w *ProtoWriter) putLookupResult(v *sdk.LookupResult) {
	m := w.want[recordLookupResult]
	if m&(1<<0) != 0 {
		w.Strings(1, v.Values)
	}
}

func (r *ProtoReader) getLookupResult(v *sdk.LookupResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Values = append(v.Values, r.Element())
		}
	}
}

func (w *ProtoWriter) putMXCall(v *sdk.MXCall) {
	m := w.want[recordMXCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Domain)
	}
}

func (r *ProtoReader) getMXCall(v *sdk.MXCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Domain = r.Text()
		}
	}
}

func (w *ProtoWriter) putMXResult(v *sdk.MXResult) {
	m := w.want[recordMXResult]
	if m&(1<<0) != 0 {
		start := len(w.b)
		at := w.Begin(1)
		w.putMX(&v.MX)
		w.drop(start, at)
	}
}

func (r *ProtoReader) getMXResult(v *sdk.MXResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			e := r.sub(r.Text())
			e.getMX(&v.MX)
		}
	}
}

func (w *ProtoWriter) putHTTPCall(v *sdk.HTTPCall) {
	m := w.want[recordHTTPCall]
	if m&(1<<0) != 0 {
		start := len(w.b)
		at := w.Begin(1)
		w.putHTTPRequest(&v.Request)
		w.drop(start, at)
	}
}

func (r *ProtoReader) getHTTPCall(v *sdk.HTTPCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			e := r.sub(r.Text())
			e.getHTTPRequest(&v.Request)
		}
	}
}

func (w *ProtoWriter) putHTTPResult(v *sdk.HTTPResult) {
	m := w.want[recordHTTPResult]
	if m&(1<<0) != 0 {
		start := len(w.b)
		at := w.Begin(1)
		w.putHTTPResponse(&v.Response)
		w.drop(start, at)
	}
}

func (r *ProtoReader) getHTTPResult(v *sdk.HTTPResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			e := r.sub(r.Text())
			e.getHTTPResponse(&v.Response)
		}
	}
}

func (w *ProtoWriter) putReadCall(v *sdk.ReadCall) {
	m := w.want[recordReadCall]
	if m&(1<<0) != 0 {
		w.Int(1, int64(v.Offset))
	}
	if m&(1<<1) != 0 {
		w.Int(2, int64(v.Size))
	}
}

func (r *ProtoReader) getReadCall(v *sdk.ReadCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Offset = int64(r.Int())
		case 2:
			v.Size = int(r.Int())
		}
	}
}

func (w *ProtoWriter) putReadResult(v *sdk.ReadResult) {
	m := w.want[recordReadResult]
	if m&(1<<0) != 0 {
		w.Blob(1, v.Data)
	}
}

func (r *ProtoReader) getReadResult(v *sdk.ReadResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Data = r.bytes()
		}
	}
}

func (w *ProtoWriter) putHeaderCall(v *sdk.HeaderCall) {
	m := w.want[recordHeaderCall]
	if m&(1<<0) != 0 {
		w.String(1, v.Name)
	}
}

func (r *ProtoReader) getHeaderCall(v *sdk.HeaderCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Name = r.Text()
		}
	}
}

func (w *ProtoWriter) putHeaderResult(v *sdk.HeaderResult) {
	m := w.want[recordHeaderResult]
	if m&(1<<0) != 0 {
		w.Strings(1, v.Values)
	}
}

func (r *ProtoReader) getHeaderResult(v *sdk.HeaderResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			v.Values = append(v.Values, r.Element())
		}
	}
}

func (w *ProtoWriter) putSendCall(v *sdk.SendCall) {
	m := w.want[recordSendCall]
	if m&(1<<0) != 0 {
		start := len(w.b)
		at := w.Begin(1)
		w.putRoute(&v.Route)
		w.drop(start, at)
	}
	if m&(1<<1) != 0 {
		for i := range v.Recipients {
			at := w.Begin(2)
			w.putRecipient(&v.Recipients[i])
			w.End(at)
		}
	}
	if m&(1<<2) != 0 {
		w.String(3, v.From)
	}
	if m&(1<<3) != 0 {
		w.bool(4, v.LMTP)
	}
}

func (r *ProtoReader) getSendCall(v *sdk.SendCall) {
	for r.Next() {
		switch r.Field {
		case 1:
			e := r.sub(r.Text())
			e.getRoute(&v.Route)
		case 2:
			e := r.sub(r.Element())
			v.Recipients = append(v.Recipients, sdk.Recipient{})
			e.getRecipient(&v.Recipients[len(v.Recipients)-1])
		case 3:
			v.From = r.Text()
		case 4:
			v.LMTP = r.bool()
		}
	}
}

func (w *ProtoWriter) putSendResult(v *sdk.SendResult) {
	m := w.want[recordSendResult]
	if m&(1<<0) != 0 {
		for i := range v.Outcomes {
			at := w.Begin(1)
			w.putOutcome(&v.Outcomes[i])
			w.End(at)
		}
	}
}

func (r *ProtoReader) getSendResult(v *sdk.SendResult) {
	for r.Next() {
		switch r.Field {
		case 1:
			e := r.sub(r.Element())
			v.Outcomes = append(v.Outcomes, sdk.Outcome{})
			e.getOutcome(&v.Outcomes[len(v.Outcomes)-1])
		}
	}
}

// ConnectEvent writes the fields of a ConnectEvent.
func (w *ProtoWriter) ConnectEvent(v *sdk.ConnectEvent, want *Want) {
	w.wants(want)
	w.putConnectEvent(v)
}

// UnmarshalConnectEvent reads a ConnectEvent.
func UnmarshalConnectEvent(s string) (v sdk.ConnectEvent, err error) {
	r := NewProtoReader(s)
	r.getConnectEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.ConnectEvent{}, err
	}
	return v, nil
}

// Answer writes the fields of a Answer.
func (w *ProtoWriter) Answer(v *sdk.Answer) {
	w.wants(nil)
	w.putAnswer(v)
}

// UnmarshalAnswer reads a Answer.
func UnmarshalAnswer(s string) (v sdk.Answer, err error) {
	r := NewProtoReader(s)
	r.getAnswer(&v)
	if err := r.Err(); err != nil {
		return sdk.Answer{}, err
	}
	return v, nil
}

// HeloEvent writes the fields of a HeloEvent.
func (w *ProtoWriter) HeloEvent(v *sdk.HeloEvent, want *Want) {
	w.wants(want)
	w.putHeloEvent(v)
}

// UnmarshalHeloEvent reads a HeloEvent.
func UnmarshalHeloEvent(s string) (v sdk.HeloEvent, err error) {
	r := NewProtoReader(s)
	r.getHeloEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.HeloEvent{}, err
	}
	return v, nil
}

// AuthEvent writes the fields of a AuthEvent.
func (w *ProtoWriter) AuthEvent(v *sdk.AuthEvent, want *Want) {
	w.wants(want)
	w.putAuthEvent(v)
}

// UnmarshalAuthEvent reads a AuthEvent.
func UnmarshalAuthEvent(s string) (v sdk.AuthEvent, err error) {
	r := NewProtoReader(s)
	r.getAuthEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.AuthEvent{}, err
	}
	return v, nil
}

// MailEvent writes the fields of a MailEvent.
func (w *ProtoWriter) MailEvent(v *sdk.MailEvent, want *Want) {
	w.wants(want)
	w.putMailEvent(v)
}

// UnmarshalMailEvent reads a MailEvent.
func UnmarshalMailEvent(s string) (v sdk.MailEvent, err error) {
	r := NewProtoReader(s)
	r.getMailEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.MailEvent{}, err
	}
	return v, nil
}

// RcptEvent writes the fields of a RcptEvent.
func (w *ProtoWriter) RcptEvent(v *sdk.RcptEvent, want *Want) {
	w.wants(want)
	w.putRcptEvent(v)
}

// UnmarshalRcptEvent reads a RcptEvent.
func UnmarshalRcptEvent(s string) (v sdk.RcptEvent, err error) {
	r := NewProtoReader(s)
	r.getRcptEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.RcptEvent{}, err
	}
	return v, nil
}

// PredataEvent writes the fields of a PredataEvent.
func (w *ProtoWriter) PredataEvent(v *sdk.PredataEvent, want *Want) {
	w.wants(want)
	w.putPredataEvent(v)
}

// UnmarshalPredataEvent reads a PredataEvent.
func UnmarshalPredataEvent(s string) (v sdk.PredataEvent, err error) {
	r := NewProtoReader(s)
	r.getPredataEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.PredataEvent{}, err
	}
	return v, nil
}

// DataEvent writes the fields of a DataEvent.
func (w *ProtoWriter) DataEvent(v *sdk.DataEvent, want *Want) {
	w.wants(want)
	w.putDataEvent(v)
}

// UnmarshalDataEvent reads a DataEvent.
func UnmarshalDataEvent(s string) (v sdk.DataEvent, err error) {
	r := NewProtoReader(s)
	r.getDataEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.DataEvent{}, err
	}
	return v, nil
}

// RouteEvent writes the fields of a RouteEvent.
func (w *ProtoWriter) RouteEvent(v *sdk.RouteEvent, want *Want) {
	w.wants(want)
	w.putRouteEvent(v)
}

// UnmarshalRouteEvent reads a RouteEvent.
func UnmarshalRouteEvent(s string) (v sdk.RouteEvent, err error) {
	r := NewProtoReader(s)
	r.getRouteEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.RouteEvent{}, err
	}
	return v, nil
}

// RouteAnswer writes the fields of a RouteAnswer.
func (w *ProtoWriter) RouteAnswer(v *sdk.RouteAnswer) {
	w.wants(nil)
	w.putRouteAnswer(v)
}

// UnmarshalRouteAnswer reads a RouteAnswer.
func UnmarshalRouteAnswer(s string) (v sdk.RouteAnswer, err error) {
	r := NewProtoReader(s)
	r.getRouteAnswer(&v)
	if err := r.Err(); err != nil {
		return sdk.RouteAnswer{}, err
	}
	return v, nil
}

// DeliverEvent writes the fields of a DeliverEvent.
func (w *ProtoWriter) DeliverEvent(v *sdk.DeliverEvent, want *Want) {
	w.wants(want)
	w.putDeliverEvent(v)
}

// UnmarshalDeliverEvent reads a DeliverEvent.
func UnmarshalDeliverEvent(s string) (v sdk.DeliverEvent, err error) {
	r := NewProtoReader(s)
	r.getDeliverEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.DeliverEvent{}, err
	}
	return v, nil
}

// DeliverAnswer writes the fields of a DeliverAnswer.
func (w *ProtoWriter) DeliverAnswer(v *sdk.DeliverAnswer) {
	w.wants(nil)
	w.putDeliverAnswer(v)
}

// UnmarshalDeliverAnswer reads a DeliverAnswer.
func UnmarshalDeliverAnswer(s string) (v sdk.DeliverAnswer, err error) {
	r := NewProtoReader(s)
	r.getDeliverAnswer(&v)
	if err := r.Err(); err != nil {
		return sdk.DeliverAnswer{}, err
	}
	return v, nil
}

// OutcomeEvent writes the fields of a OutcomeEvent.
func (w *ProtoWriter) OutcomeEvent(v *sdk.OutcomeEvent, want *Want) {
	w.wants(want)
	w.putOutcomeEvent(v)
}

// UnmarshalOutcomeEvent reads a OutcomeEvent.
func UnmarshalOutcomeEvent(s string) (v sdk.OutcomeEvent, err error) {
	r := NewProtoReader(s)
	r.getOutcomeEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.OutcomeEvent{}, err
	}
	return v, nil
}

// OutcomeAnswer writes the fields of a OutcomeAnswer.
func (w *ProtoWriter) OutcomeAnswer(v *sdk.OutcomeAnswer) {
	w.wants(nil)
	w.putOutcomeAnswer(v)
}

// UnmarshalOutcomeAnswer reads a OutcomeAnswer.
func UnmarshalOutcomeAnswer(s string) (v sdk.OutcomeAnswer, err error) {
	r := NewProtoReader(s)
	r.getOutcomeAnswer(&v)
	if err := r.Err(); err != nil {
		return sdk.OutcomeAnswer{}, err
	}
	return v, nil
}

// BounceEvent writes the fields of a BounceEvent.
func (w *ProtoWriter) BounceEvent(v *sdk.BounceEvent, want *Want) {
	w.wants(want)
	w.putBounceEvent(v)
}

// UnmarshalBounceEvent reads a BounceEvent.
func UnmarshalBounceEvent(s string) (v sdk.BounceEvent, err error) {
	r := NewProtoReader(s)
	r.getBounceEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.BounceEvent{}, err
	}
	return v, nil
}

// BounceAnswer writes the fields of a BounceAnswer.
func (w *ProtoWriter) BounceAnswer(v *sdk.BounceAnswer) {
	w.wants(nil)
	w.putBounceAnswer(v)
}

// UnmarshalBounceAnswer reads a BounceAnswer.
func UnmarshalBounceAnswer(s string) (v sdk.BounceAnswer, err error) {
	r := NewProtoReader(s)
	r.getBounceAnswer(&v)
	if err := r.Err(); err != nil {
		return sdk.BounceAnswer{}, err
	}
	return v, nil
}

// DisconnectEvent writes the fields of a DisconnectEvent.
func (w *ProtoWriter) DisconnectEvent(v *sdk.DisconnectEvent, want *Want) {
	w.wants(want)
	w.putDisconnectEvent(v)
}

// UnmarshalDisconnectEvent reads a DisconnectEvent.
func UnmarshalDisconnectEvent(s string) (v sdk.DisconnectEvent, err error) {
	r := NewProtoReader(s)
	r.getDisconnectEvent(&v)
	if err := r.Err(); err != nil {
		return sdk.DisconnectEvent{}, err
	}
	return v, nil
}

// LogCall writes the fields of a LogCall.
func (w *ProtoWriter) LogCall(v *sdk.LogCall) {
	w.wants(nil)
	w.putLogCall(v)
}

// UnmarshalLogCall reads a LogCall.
func UnmarshalLogCall(s string) (v sdk.LogCall, err error) {
	r := NewProtoReader(s)
	r.getLogCall(&v)
	if err := r.Err(); err != nil {
		return sdk.LogCall{}, err
	}
	return v, nil
}

// LogResult writes the fields of a LogResult.
func (w *ProtoWriter) LogResult(v *sdk.LogResult) {
	w.wants(nil)
	w.putLogResult(v)
}

// UnmarshalLogResult reads a LogResult.
func UnmarshalLogResult(s string) (v sdk.LogResult, err error) {
	r := NewProtoReader(s)
	r.getLogResult(&v)
	if err := r.Err(); err != nil {
		return sdk.LogResult{}, err
	}
	return v, nil
}

// NowCall writes the fields of a NowCall.
func (w *ProtoWriter) NowCall(v *sdk.NowCall) {
	w.wants(nil)
	w.putNowCall(v)
}

// UnmarshalNowCall reads a NowCall.
func UnmarshalNowCall(s string) (v sdk.NowCall, err error) {
	r := NewProtoReader(s)
	r.getNowCall(&v)
	if err := r.Err(); err != nil {
		return sdk.NowCall{}, err
	}
	return v, nil
}

// NowResult writes the fields of a NowResult.
func (w *ProtoWriter) NowResult(v *sdk.NowResult) {
	w.wants(nil)
	w.putNowResult(v)
}

// UnmarshalNowResult reads a NowResult.
func UnmarshalNowResult(s string) (v sdk.NowResult, err error) {
	r := NewProtoReader(s)
	r.getNowResult(&v)
	if err := r.Err(); err != nil {
		return sdk.NowResult{}, err
	}
	return v, nil
}

// RandomCall writes the fields of a RandomCall.
func (w *ProtoWriter) RandomCall(v *sdk.RandomCall) {
	w.wants(nil)
	w.putRandomCall(v)
}

// UnmarshalRandomCall reads a RandomCall.
func UnmarshalRandomCall(s string) (v sdk.RandomCall, err error) {
	r := NewProtoReader(s)
	r.getRandomCall(&v)
	if err := r.Err(); err != nil {
		return sdk.RandomCall{}, err
	}
	return v, nil
}

// RandomResult writes the fields of a RandomResult.
func (w *ProtoWriter) RandomResult(v *sdk.RandomResult) {
	w.wants(nil)
	w.putRandomResult(v)
}

// UnmarshalRandomResult reads a RandomResult.
func UnmarshalRandomResult(s string) (v sdk.RandomResult, err error) {
	r := NewProtoReader(s)
	r.getRandomResult(&v)
	if err := r.Err(); err != nil {
		return sdk.RandomResult{}, err
	}
	return v, nil
}

// MetricCall writes the fields of a MetricCall.
func (w *ProtoWriter) MetricCall(v *sdk.MetricCall) {
	w.wants(nil)
	w.putMetricCall(v)
}

// UnmarshalMetricCall reads a MetricCall.
func UnmarshalMetricCall(s string) (v sdk.MetricCall, err error) {
	r := NewProtoReader(s)
	r.getMetricCall(&v)
	if err := r.Err(); err != nil {
		return sdk.MetricCall{}, err
	}
	return v, nil
}

// MetricResult writes the fields of a MetricResult.
func (w *ProtoWriter) MetricResult(v *sdk.MetricResult) {
	w.wants(nil)
	w.putMetricResult(v)
}

// UnmarshalMetricResult reads a MetricResult.
func UnmarshalMetricResult(s string) (v sdk.MetricResult, err error) {
	r := NewProtoReader(s)
	r.getMetricResult(&v)
	if err := r.Err(); err != nil {
		return sdk.MetricResult{}, err
	}
	return v, nil
}

// KVGetCall writes the fields of a KVGetCall.
func (w *ProtoWriter) KVGetCall(v *sdk.KVGetCall) {
	w.wants(nil)
	w.putKVGetCall(v)
}

// UnmarshalKVGetCall reads a KVGetCall.
func UnmarshalKVGetCall(s string) (v sdk.KVGetCall, err error) {
	r := NewProtoReader(s)
	r.getKVGetCall(&v)
	if err := r.Err(); err != nil {
		return sdk.KVGetCall{}, err
	}
	return v, nil
}

// KVGetResult writes the fields of a KVGetResult.
func (w *ProtoWriter) KVGetResult(v *sdk.KVGetResult) {
	w.wants(nil)
	w.putKVGetResult(v)
}

// UnmarshalKVGetResult reads a KVGetResult.
func UnmarshalKVGetResult(s string) (v sdk.KVGetResult, err error) {
	r := NewProtoReader(s)
	r.getKVGetResult(&v)
	if err := r.Err(); err != nil {
		return sdk.KVGetResult{}, err
	}
	return v, nil
}

// KVSetCall writes the fields of a KVSetCall.
func (w *ProtoWriter) KVSetCall(v *sdk.KVSetCall) {
	w.wants(nil)
	w.putKVSetCall(v)
}

// UnmarshalKVSetCall reads a KVSetCall.
func UnmarshalKVSetCall(s string) (v sdk.KVSetCall, err error) {
	r := NewProtoReader(s)
	r.getKVSetCall(&v)
	if err := r.Err(); err != nil {
		return sdk.KVSetCall{}, err
	}
	return v, nil
}

// KVSetResult writes the fields of a KVSetResult.
func (w *ProtoWriter) KVSetResult(v *sdk.KVSetResult) {
	w.wants(nil)
	w.putKVSetResult(v)
}

// UnmarshalKVSetResult reads a KVSetResult.
func UnmarshalKVSetResult(s string) (v sdk.KVSetResult, err error) {
	r := NewProtoReader(s)
	r.getKVSetResult(&v)
	if err := r.Err(); err != nil {
		return sdk.KVSetResult{}, err
	}
	return v, nil
}

// KVSwapCall writes the fields of a KVSwapCall.
func (w *ProtoWriter) KVSwapCall(v *sdk.KVSwapCall) {
	w.wants(nil)
	w.putKVSwapCall(v)
}

// UnmarshalKVSwapCall reads a KVSwapCall.
func UnmarshalKVSwapCall(s string) (v sdk.KVSwapCall, err error) {
	r := NewProtoReader(s)
	r.getKVSwapCall(&v)
	if err := r.Err(); err != nil {
		return sdk.KVSwapCall{}, err
	}
	return v, nil
}

// KVSwapResult writes the fields of a KVSwapResult.
func (w *ProtoWriter) KVSwapResult(v *sdk.KVSwapResult) {
	w.wants(nil)
	w.putKVSwapResult(v)
}

// UnmarshalKVSwapResult reads a KVSwapResult.
func UnmarshalKVSwapResult(s string) (v sdk.KVSwapResult, err error) {
	r := NewProtoReader(s)
	r.getKVSwapResult(&v)
	if err := r.Err(); err != nil {
		return sdk.KVSwapResult{}, err
	}
	return v, nil
}

// KVAddCall writes the fields of a KVAddCall.
func (w *ProtoWriter) KVAddCall(v *sdk.KVAddCall) {
	w.wants(nil)
	w.putKVAddCall(v)
}

// UnmarshalKVAddCall reads a KVAddCall.
func UnmarshalKVAddCall(s string) (v sdk.KVAddCall, err error) {
	r := NewProtoReader(s)
	r.getKVAddCall(&v)
	if err := r.Err(); err != nil {
		return sdk.KVAddCall{}, err
	}
	return v, nil
}

// KVAddResult writes the fields of a KVAddResult.
func (w *ProtoWriter) KVAddResult(v *sdk.KVAddResult) {
	w.wants(nil)
	w.putKVAddResult(v)
}

// UnmarshalKVAddResult reads a KVAddResult.
func UnmarshalKVAddResult(s string) (v sdk.KVAddResult, err error) {
	r := NewProtoReader(s)
	r.getKVAddResult(&v)
	if err := r.Err(); err != nil {
		return sdk.KVAddResult{}, err
	}
	return v, nil
}

// KVDeleteCall writes the fields of a KVDeleteCall.
func (w *ProtoWriter) KVDeleteCall(v *sdk.KVDeleteCall) {
	w.wants(nil)
	w.putKVDeleteCall(v)
}

// UnmarshalKVDeleteCall reads a KVDeleteCall.
func UnmarshalKVDeleteCall(s string) (v sdk.KVDeleteCall, err error) {
	r := NewProtoReader(s)
	r.getKVDeleteCall(&v)
	if err := r.Err(); err != nil {
		return sdk.KVDeleteCall{}, err
	}
	return v, nil
}

// KVDeleteResult writes the fields of a KVDeleteResult.
func (w *ProtoWriter) KVDeleteResult(v *sdk.KVDeleteResult) {
	w.wants(nil)
	w.putKVDeleteResult(v)
}

// UnmarshalKVDeleteResult reads a KVDeleteResult.
func UnmarshalKVDeleteResult(s string) (v sdk.KVDeleteResult, err error) {
	r := NewProtoReader(s)
	r.getKVDeleteResult(&v)
	if err := r.Err(); err != nil {
		return sdk.KVDeleteResult{}, err
	}
	return v, nil
}

// LookupCall writes the fields of a LookupCall.
func (w *ProtoWriter) LookupCall(v *sdk.LookupCall) {
	w.wants(nil)
	w.putLookupCall(v)
}

// UnmarshalLookupCall reads a LookupCall.
func UnmarshalLookupCall(s string) (v sdk.LookupCall, err error) {
	r := NewProtoReader(s)
	r.getLookupCall(&v)
	if err := r.Err(); err != nil {
		return sdk.LookupCall{}, err
	}
	return v, nil
}

// LookupResult writes the fields of a LookupResult.
func (w *ProtoWriter) LookupResult(v *sdk.LookupResult) {
	w.wants(nil)
	w.putLookupResult(v)
}

// UnmarshalLookupResult reads a LookupResult.
func UnmarshalLookupResult(s string) (v sdk.LookupResult, err error) {
	r := NewProtoReader(s)
	r.getLookupResult(&v)
	if err := r.Err(); err != nil {
		return sdk.LookupResult{}, err
	}
	return v, nil
}

// MXCall writes the fields of a MXCall.
func (w *ProtoWriter) MXCall(v *sdk.MXCall) {
	w.wants(nil)
	w.putMXCall(v)
}

// UnmarshalMXCall reads a MXCall.
func UnmarshalMXCall(s string) (v sdk.MXCall, err error) {
	r := NewProtoReader(s)
	r.getMXCall(&v)
	if err := r.Err(); err != nil {
		return sdk.MXCall{}, err
	}
	return v, nil
}

// MXResult writes the fields of a MXResult.
func (w *ProtoWriter) MXResult(v *sdk.MXResult) {
	w.wants(nil)
	w.putMXResult(v)
}

// UnmarshalMXResult reads a MXResult.
func UnmarshalMXResult(s string) (v sdk.MXResult, err error) {
	r := NewProtoReader(s)
	r.getMXResult(&v)
	if err := r.Err(); err != nil {
		return sdk.MXResult{}, err
	}
	return v, nil
}

// HTTPCall writes the fields of a HTTPCall.
func (w *ProtoWriter) HTTPCall(v *sdk.HTTPCall) {
	w.wants(nil)
	w.putHTTPCall(v)
}

// UnmarshalHTTPCall reads a HTTPCall.
func UnmarshalHTTPCall(s string) (v sdk.HTTPCall, err error) {
	r := NewProtoReader(s)
	r.getHTTPCall(&v)
	if err := r.Err(); err != nil {
		return sdk.HTTPCall{}, err
	}
	return v, nil
}

// HTTPResult writes the fields of a HTTPResult.
func (w *ProtoWriter) HTTPResult(v *sdk.HTTPResult) {
	w.wants(nil)
	w.putHTTPResult(v)
}

// UnmarshalHTTPResult reads a HTTPResult.
func UnmarshalHTTPResult(s string) (v sdk.HTTPResult, err error) {
	r := NewProtoReader(s)
	r.getHTTPResult(&v)
	if err := r.Err(); err != nil {
		return sdk.HTTPResult{}, err
	}
	return v, nil
}

// ReadCall writes the fields of a ReadCall.
func (w *ProtoWriter) ReadCall(v *sdk.ReadCall) {
	w.wants(nil)
	w.putReadCall(v)
}

// UnmarshalReadCall reads a ReadCall.
func UnmarshalReadCall(s string) (v sdk.ReadCall, err error) {
	r := NewProtoReader(s)
	r.getReadCall(&v)
	if err := r.Err(); err != nil {
		return sdk.ReadCall{}, err
	}
	return v, nil
}

// ReadResult writes the fields of a ReadResult.
func (w *ProtoWriter) ReadResult(v *sdk.ReadResult) {
	w.wants(nil)
	w.putReadResult(v)
}

// UnmarshalReadResult reads a ReadResult.
func UnmarshalReadResult(s string) (v sdk.ReadResult, err error) {
	r := NewProtoReader(s)
	r.getReadResult(&v)
	if err := r.Err(); err != nil {
		return sdk.ReadResult{}, err
	}
	return v, nil
}

// HeaderCall writes the fields of a HeaderCall.
func (w *ProtoWriter) HeaderCall(v *sdk.HeaderCall) {
	w.wants(nil)
	w.putHeaderCall(v)
}

// UnmarshalHeaderCall reads a HeaderCall.
func UnmarshalHeaderCall(s string) (v sdk.HeaderCall, err error) {
	r := NewProtoReader(s)
	r.getHeaderCall(&v)
	if err := r.Err(); err != nil {
		return sdk.HeaderCall{}, err
	}
	return v, nil
}

// HeaderResult writes the fields of a HeaderResult.
func (w *ProtoWriter) HeaderResult(v *sdk.HeaderResult) {
	w.wants(nil)
	w.putHeaderResult(v)
}

// UnmarshalHeaderResult reads a HeaderResult.
func UnmarshalHeaderResult(s string) (v sdk.HeaderResult, err error) {
	r := NewProtoReader(s)
	r.getHeaderResult(&v)
	if err := r.Err(); err != nil {
		return sdk.HeaderResult{}, err
	}
	return v, nil
}

// SendCall writes the fields of a SendCall.
func (w *ProtoWriter) SendCall(v *sdk.SendCall) {
	w.wants(nil)
	w.putSendCall(v)
}

// UnmarshalSendCall reads a SendCall.
func UnmarshalSendCall(s string) (v sdk.SendCall, err error) {
	r := NewProtoReader(s)
	r.getSendCall(&v)
	if err := r.Err(); err != nil {
		return sdk.SendCall{}, err
	}
	return v, nil
}

// SendResult writes the fields of a SendResult.
func (w *ProtoWriter) SendResult(v *sdk.SendResult) {
	w.wants(nil)
	w.putSendResult(v)
}

// UnmarshalSendResult reads a SendResult.
func UnmarshalSendResult(s string) (v sdk.SendResult, err error) {
	r := NewProtoReader(s)
	r.getSendResult(&v)
	if err := r.Err(); err != nil {
		return sdk.SendResult{}, err
	}
	return v, nil
}

// CallFromProto turns the request of a call, by its number, from protobuf into a
// block.
func CallFromProto(number int, s string, w *Writer) ([]byte, error) {
	switch number {
	case 1:
		v, err := UnmarshalLogCall(s)
		if err != nil {
			return nil, err
		}
		return w.LogCall(&v), nil
	case 2:
		v, err := UnmarshalNowCall(s)
		if err != nil {
			return nil, err
		}
		return w.NowCall(&v), nil
	case 3:
		v, err := UnmarshalRandomCall(s)
		if err != nil {
			return nil, err
		}
		return w.RandomCall(&v), nil
	case 4:
		v, err := UnmarshalMetricCall(s)
		if err != nil {
			return nil, err
		}
		return w.MetricCall(&v), nil
	case 5:
		v, err := UnmarshalKVGetCall(s)
		if err != nil {
			return nil, err
		}
		return w.KVGetCall(&v), nil
	case 6:
		v, err := UnmarshalKVSetCall(s)
		if err != nil {
			return nil, err
		}
		return w.KVSetCall(&v), nil
	case 7:
		v, err := UnmarshalKVSwapCall(s)
		if err != nil {
			return nil, err
		}
		return w.KVSwapCall(&v), nil
	case 8:
		v, err := UnmarshalKVAddCall(s)
		if err != nil {
			return nil, err
		}
		return w.KVAddCall(&v), nil
	case 9:
		v, err := UnmarshalKVDeleteCall(s)
		if err != nil {
			return nil, err
		}
		return w.KVDeleteCall(&v), nil
	case 10:
		v, err := UnmarshalLookupCall(s)
		if err != nil {
			return nil, err
		}
		return w.LookupCall(&v), nil
	case 11:
		v, err := UnmarshalMXCall(s)
		if err != nil {
			return nil, err
		}
		return w.MXCall(&v), nil
	case 12:
		v, err := UnmarshalHTTPCall(s)
		if err != nil {
			return nil, err
		}
		return w.HTTPCall(&v), nil
	case 13:
		v, err := UnmarshalReadCall(s)
		if err != nil {
			return nil, err
		}
		return w.ReadCall(&v), nil
	case 14:
		v, err := UnmarshalHeaderCall(s)
		if err != nil {
			return nil, err
		}
		return w.HeaderCall(&v), nil
	case 15:
		v, err := UnmarshalSendCall(s)
		if err != nil {
			return nil, err
		}
		return w.SendCall(&v), nil
	}
	return nil, fmt.Errorf("wire: there is no call %d", number)
}

// ResultToProto turns the result of a call, by its number, from a block into
// protobuf.
func ResultToProto(number int, block string, w *ProtoWriter) error {
	switch number {
	case 1:
		v, err := ParseLogResult(block)
		if err == nil {
			w.LogResult(&v)
		}
		return err
	case 2:
		v, err := ParseNowResult(block)
		if err == nil {
			w.NowResult(&v)
		}
		return err
	case 3:
		v, err := ParseRandomResult(block)
		if err == nil {
			w.RandomResult(&v)
		}
		return err
	case 4:
		v, err := ParseMetricResult(block)
		if err == nil {
			w.MetricResult(&v)
		}
		return err
	case 5:
		v, err := ParseKVGetResult(block)
		if err == nil {
			w.KVGetResult(&v)
		}
		return err
	case 6:
		v, err := ParseKVSetResult(block)
		if err == nil {
			w.KVSetResult(&v)
		}
		return err
	case 7:
		v, err := ParseKVSwapResult(block)
		if err == nil {
			w.KVSwapResult(&v)
		}
		return err
	case 8:
		v, err := ParseKVAddResult(block)
		if err == nil {
			w.KVAddResult(&v)
		}
		return err
	case 9:
		v, err := ParseKVDeleteResult(block)
		if err == nil {
			w.KVDeleteResult(&v)
		}
		return err
	case 10:
		v, err := ParseLookupResult(block)
		if err == nil {
			w.LookupResult(&v)
		}
		return err
	case 11:
		v, err := ParseMXResult(block)
		if err == nil {
			w.MXResult(&v)
		}
		return err
	case 12:
		v, err := ParseHTTPResult(block)
		if err == nil {
			w.HTTPResult(&v)
		}
		return err
	case 13:
		v, err := ParseReadResult(block)
		if err == nil {
			w.ReadResult(&v)
		}
		return err
	case 14:
		v, err := ParseHeaderResult(block)
		if err == nil {
			w.HeaderResult(&v)
		}
		return err
	case 15:
		v, err := ParseSendResult(block)
		if err == nil {
			w.SendResult(&v)
		}
		return err
	}
	return fmt.Errorf("wire: there is no call %d", number)
}
