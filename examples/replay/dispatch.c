// SPDX-License-Identifier: GPL-2.0-or-later
/* A switch of 20 distinct calls: every compiler of today makes it a table of offsets. */

extern unsigned long op00(unsigned long value);
extern unsigned long op01(unsigned long value);
extern unsigned long op02(unsigned long value);
extern unsigned long op03(unsigned long value);
extern unsigned long op04(unsigned long value);
extern unsigned long op05(unsigned long value);
extern unsigned long op06(unsigned long value);
extern unsigned long op07(unsigned long value);
extern unsigned long op08(unsigned long value);
extern unsigned long op09(unsigned long value);
extern unsigned long op10(unsigned long value);
extern unsigned long op11(unsigned long value);
extern unsigned long op12(unsigned long value);
extern unsigned long op13(unsigned long value);
extern unsigned long op14(unsigned long value);
extern unsigned long op15(unsigned long value);
extern unsigned long op16(unsigned long value);
extern unsigned long op17(unsigned long value);
extern unsigned long op18(unsigned long value);
extern unsigned long op19(unsigned long value);

unsigned long dispatch(unsigned int number, unsigned long value)
{
	switch (number) {
	case 0:
		value = op00(value);
		break;
	case 1:
		value = op01(value);
		break;
	case 2:
		value = op02(value);
		break;
	case 3:
		value = op03(value);
		break;
	case 4:
		value = op04(value);
		break;
	case 5:
		value = op05(value);
		break;
	case 6:
		value = op06(value);
		break;
	case 7:
		value = op07(value);
		break;
	case 8:
		value = op08(value);
		break;
	case 9:
		value = op09(value);
		break;
	case 10:
		value = op10(value);
		break;
	case 11:
		value = op11(value);
		break;
	case 12:
		value = op12(value);
		break;
	case 13:
		value = op13(value);
		break;
	case 14:
		value = op14(value);
		break;
	case 15:
		value = op15(value);
		break;
	case 16:
		value = op16(value);
		break;
	case 17:
		value = op17(value);
		break;
	case 18:
		value = op18(value);
		break;
	case 19:
		value = op19(value);
		break;
	default:
		value = 0;
		break;
	}
	return value + number;
}
