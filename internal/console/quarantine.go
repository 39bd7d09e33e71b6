package console

import (
	"net/http"

	"jstsync/diff"
)

// quarantineView lists the records that are set aside.
type quarantineView struct {
	Pipelines []asideList
	None      bool
}

type asideList struct {
	Name    string
	Records []asideLine
	More    int
}

type asideLine struct {
	diff.SetAside
	At moment
}

// asideShown is how many records of a pipeline are listed.
const asideShown = 200

func (c *Console) quarantine(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Quarantine")
	v := &quarantineView{None: true}
	for _, name := range p.Pipelines {
		all, err := recall(r.Context(), c.memo, "quarantine\x00"+name, func() ([]diff.SetAside, error) { return c.o.Audit(name).Quarantine() })
		if err != nil {
			return nil, err
		}
		list := asideList{Name: name, More: max(0, len(all)-asideShown)}
		for _, one := range all[:min(len(all), asideShown)] {
			list.Records = append(list.Records, asideLine{one, p.at(one.Since)})
		}
		if len(all) > 0 {
			v.None = false
			v.Pipelines = append(v.Pipelines, list)
		}
	}
	return v, nil
}
