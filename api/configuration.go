package api

import (
	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/staffing"
)

// The lists of the configuration.

// configured reads the page that is asked for, when the caller may, and waits until it holds what was written.
func (c *call) configured(purpose string, permitted func() error) (after string, limit int, err error) {
	if after, limit, err = c.page(purpose); err != nil {
		return "", 0, err
	}
	if permitted != nil {
		if err := permitted(); err != nil {
			return "", 0, err
		}
	}
	return after, limit, c.recent()
}

func listQueues(c *call) (*reply, error) {
	after, limit, err := c.configured("queues", nil)
	if err != nil {
		return nil, err
	}
	rows, err := c.Directory.Queues(c.ctx(), domain.QueueID(after), limit+1)
	if err != nil {
		return nil, err
	}
	return paged(c, "queues", rows, limit, func(q directory.Queue) string { return string(q.ID) },
		func(q directory.Queue) (queueResource, error) { return showQueue(q.ID, q.Settings), nil })
}

func listProfiles(c *call) (*reply, error) {
	after, limit, err := c.configured("profiles", c.mustOversee)
	if err != nil {
		return nil, err
	}
	rows, err := c.Directory.Profiles(c.ctx(), domain.ProfileID(after), limit+1)
	if err != nil {
		return nil, err
	}
	return paged(c, "profiles", rows, limit, func(p directory.Profile) string { return string(p.ID) },
		func(p directory.Profile) (profileResource, error) { return showProfile(p.ID, p.Settings), nil })
}

func listStaff(c *call) (*reply, error) {
	after, limit, err := c.configured("staff", c.mustOversee)
	if err != nil {
		return nil, err
	}
	rows, err := c.Staffing.Staff(c.ctx(), domain.StaffID(after), limit+1)
	if err != nil {
		return nil, err
	}
	return paged(c, "staff", rows, limit, func(m staffing.Member) string { return string(m.ID) }, c.showListed)
}

// showListed makes the resource of a member of a list as their own page shows them at this time.
func (c *call) showListed(m staffing.Member) (staffResource, error) {
	v, err := c.Service.Member(c.ctx(), m.ID)
	if err != nil {
		return staffResource{}, err
	}
	return c.showMember(v)
}
