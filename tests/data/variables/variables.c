/* Accesses whose pointer, structure and member the tests name. Built by tools/build_fixtures.py. */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

struct link {
	struct link *next, *prev;
};

struct point {
	int x, y;
};

struct slot {
	u64 key;
	struct point at;
};

struct widget;

struct widget_ops {
	int (*start)(struct widget *, int);
	void (*stop)(struct widget *);
};

struct widget {
	struct link siblings;
	u64 state;
	union {
		struct {
			u32 lo, hi;
		};
		u64 both;
		void *owner;
	};
	struct point corner[4];
	u32 kind : 4, armed : 1, depth : 11;
	u8 mode;
	/* three bytes of padding */
	struct widget *parent;
	const struct widget_ops *ops;
	char name[16];
	struct slot slots[];
};

struct shelf {
	struct link widgets;
	struct widget *first;
	struct point size;
};

struct ticket {
	u64 number;
	struct link queue;
	u64 stamp;
};

#define NOINLINE __attribute__((noinline))
#define HIDE(value) asm volatile("" : "+r"(value))
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - __builtin_offsetof(type, member)))

__attribute__((section(".data..percpu"))) struct shelf this_shelf;
struct widget *spare_widget;

NOINLINE struct widget *find_widget(int id)
{
	HIDE(id);
	return id ? spare_widget : 0;
}

NOINLINE u64 read_state(struct widget *w)
{
	return w->state;
}

NOINLINE int read_corner(struct widget *w, long i)
{
	return w->corner[i].y;
}

NOINLINE u64 read_key(struct widget *w, long i)
{
	return w->slots[i].key;
}

NOINLINE u64 read_table(const u64 *table, long i)
{
	return table[i];
}

NOINLINE u32 read_hi(struct widget *w)
{
	return w->hi;
}

NOINLINE u64 read_grandparent(struct widget *w)
{
	return w->parent->parent->state;
}

NOINLINE int start(struct widget *w, int how)
{
	return w->ops->start(w, how) + 1;
}

NOINLINE u64 found_state(int id)
{
	return find_widget(id)->state;
}

static inline __attribute__((always_inline)) int same_kind(const struct widget *one, u32 kind)
{
	return one->mode == kind;
}

NOINLINE int parent_is(struct widget *child, u32 kind)
{
	return same_kind(child->parent, kind);
}

NOINLINE u64 walk(struct shelf *shelf)
{
	u64 sum = 0;
	struct link *entry;

	for (entry = shelf->widgets.next; entry != &shelf->widgets; entry = entry->next) {
		struct widget *each = container_of(entry, struct widget, siblings);

		sum += each->state;
	}
	return sum;
}

static inline __attribute__((always_inline)) u64 cpu_offset(void)
{
	u64 offset;

	asm volatile("mrs %0, tpidr_el1" : "=r"(offset));
	return offset;
}

NOINLINE int shelf_height(void)
{
	struct shelf *mine = (struct shelf *)((char *)&this_shelf + cpu_offset());

	HIDE(mine);
	return mine->size.y;
}

NOINLINE u64 spare_state(void)
{
	return spare_widget->state;
}

NOINLINE u64 copy_from(const u64 *user)
{
	u64 value;

	asm volatile("ldtr %0, [%1]" : "=r"(value) : "r"(user));
	return value;
}

NOINLINE void swap_links(struct link *link)
{
	struct link *next = link->next;

	link->next = link->prev;
	link->prev = next;
}

NOINLINE u64 kept(struct widget *w)
{
	u64 before = w->state;
	struct widget *other = find_widget((int)before);

	return before + w->both + other->both;
}

NOINLINE u64 raw(u64 address)
{
	return *(volatile u64 *)(address + 24);
}

NOINLINE u64 spilled(struct widget *w)
{
	struct widget *volatile slot = w;

	asm volatile("" ::: "memory");
	return slot->state;
}

NOINLINE u64 inner(struct widget *w, u64 n)
{
	u64 sum = 0;
	struct point *p = w->corner;

	do {
		sum += (u64)p->x;
		p++;
	} while (--n);
	return sum;
}

NOINLINE u64 stamps(struct link *head)
{
	u64 sum = 0;
	struct link *entry;

	for (entry = head->next; entry != head; entry = entry->next) {
		struct ticket *ticket = container_of(entry, struct ticket, queue);

		sum += ticket->stamp;
	}
	return sum;
}

void _start(void)
{
}
