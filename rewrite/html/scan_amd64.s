//go:build !purego

#include "textflag.h"

// '<', '>', '"', '\'', '=', '/', the bit of lower case; 'a' less the lowest signed byte, and the signed byte behind 'z' then.
DATA bytes<>+0(SB)/8, $0xE1202F3D27223E3C
DATA bytes<>+8(SB)/1, $0x9A
GLOBL bytes<>(SB), RODATA|NOPTR, $9

// Marks, which end a name or begin a value, each at its lowest four bits: white space, '"', '\'', '/' and '>'.
DATA marks<>+0(SB)/8, $0x27FFFFFFFF22FF20
DATA marks<>+8(SB)/8, $0x2F3E0D0CFF0A09FF
GLOBL marks<>(SB), RODATA|NOPTR, $16

// BITS makes dst the highest bits of the 64 bytes in Y12 and Y13.
#define BITS(dst, tmp) \
	VPMOVMSKB Y12, dst \
	VPMOVMSKB Y13, tmp \
	SHLQ $32, tmp \
	ORQ tmp, dst

// FIND makes dst the places of the byte c.
#define FIND(c, dst, tmp) \
	VPCMPEQB Y0, c, Y12 \
	VPCMPEQB Y1, c, Y13 \
	BITS(dst, tmp)

// CARRY adds with what the block before left over, which is kept inverted. A bit runs through the ones behind it, up to the
// first zero, over the ends of blocks; a set that is added to itself moves to the next byte.
#define CARRY(kept, x, sum) \
	CMPB kept, $1 \
	ADCQ x, sum \
	SETCC kept

// LOOK takes the first place out of a set, and adds it to hits if a name of the table may begin there.
#define LOOK(set, table, hits) \
	TZCNTQ set, AX \
	MOVL (SI)(AX*1), AX \
	ORL $0x202020, AX \
	SHLL $8, AX \
	IMUL3L $0x9E3779B1, AX, AX \
	SHRL $20, AX \
	MOVBQSX (table)(AX*1), AX \
	BLSIQ set, BX \
	BLSRQ set, set \
	ANDQ BX, AX \
	ORQ AX, hits

// VALUES makes in the values in quotes c, from a quote right behind a '=' (in R11) to before the next, and other all quotes c
// that neither begin nor end one. One behind a '=' within a value is left out of it.
#define VALUES(c, kept, other, open, sum, in) \
	FIND(c, other, open) \
	NOTQ other \
	ANDNQ R11, other, open \
	ORQ open, other \
	MOVQ other, sum \
	CARRY(kept, open, sum) \
	ANDNQ other, sum, in \
	ORQ sum, other \
	NOTQ other

// The memory: what is carried, two sets, and the last place where a block may begin.
#define afterLess 0(DI)
#define afterSlash 1(DI)
#define inTag 2(DI)
#define inName 3(DI)
#define afterMark 4(DI)
#define afterEqual 5(DI)
#define inDouble 6(DI)
#define inSingle 7(DI)
#define less 8(DI)
#define names 16(DI)
#define last 24(DI)

// func scanPlain(m *scanMemory, r *plainRules, b []byte) (n int)
TEXT ·scanPlain(SB), NOSPLIT, $0-48
	MOVQ m+0(FP), DI
	MOVQ $0x0101010101010101, AX
	MOVQ AX, (DI)
	MOVQ b_base+16(FP), SI
	MOVQ b_len+24(FP), AX
	LEAQ -72(SI)(AX*1), AX
	MOVQ AX, last
	MOVQ $1, R12 // where '<' stands in the last block that has any, R13
	MOVQ SI, R13
	VPBROADCASTB bytes<>+0(SB), Y2
	VPBROADCASTB bytes<>+1(SB), Y3
	VPBROADCASTB bytes<>+2(SB), Y4
	VPBROADCASTB bytes<>+3(SB), Y5
	VPBROADCASTB bytes<>+4(SB), Y6
	VPBROADCASTB bytes<>+5(SB), Y7
	VPBROADCASTB bytes<>+6(SB), Y8
	VPBROADCASTB bytes<>+7(SB), Y9
	VPBROADCASTB bytes<>+8(SB), Y10
	VBROADCASTI128 marks<>(SB), Y11
	JMP next
block:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	// Behind '<' and "</", R11, all but letters and that '/' is not plain, DX; nor are some elements, which begin at R9.
	FIND(Y2, R8, AX)
	MOVQ R8, less
	MOVQ R8, R9
	CARRY(afterLess, R9, R9)
	FIND(Y7, R10, AX)
	ANDQ R9, R10
	MOVQ R10, R11
	CARRY(afterSlash, R11, R11)
	ORQ R9, R11
	VPOR Y0, Y8, Y12
	VPOR Y1, Y8, Y13
	VPSUBB Y9, Y12, Y12
	VPSUBB Y9, Y13, Y13
	VPCMPGTB Y12, Y10, Y12
	VPCMPGTB Y13, Y10, Y13
	BITS(AX, BX)
	ORQ AX, R10
	ANDNQ R11, R10, DX
	ANDQ AX, R9
	MOVQ r+8(FP), R10
	MOVQ 0(R10), R10
tags:
	LOOK(R9, R10, DX)
	LOOK(R9, R10, DX)
	TESTQ R9, R9
	JNE tags
	// Tags, R15, go from there to before the next '>', R14. No '<' in one is plain.
	FIND(Y3, R10, AX)
	NOTQ R10
	MOVQ R10, R14
	CARRY(inTag, R11, R14)
	ANDNQ R10, R14, R15
	ANDNQ R14, R10, R14
	ANDQ R15, R8
	ORQ R8, DX
	// The tags' own names, R11, go to before the next mark. Other names begin behind marks, R10, unless that is in a value.
	VPSHUFB Y0, Y11, Y12
	VPSHUFB Y1, Y11, Y13
	VPCMPEQB Y0, Y12, Y12
	VPCMPEQB Y1, Y13, Y13
	BITS(R10, BX)
	MOVQ R10, BX
	NOTQ BX
	CARRY(inName, BX, R11)
	ANDNQ BX, R11, R11
	CARRY(afterMark, R10, R10)
	ANDQ R10, BX
	ANDQ R15, BX
	MOVQ BX, names
	// No '=' is plain in a tag's own name, nor, unless that is in a value, behind a mark, R10, or before what begins no value.
	FIND(Y6, R9, AX)
	ANDQ R15, R9
	ANDQ R9, R10
	ANDQ R9, R11
	ORQ R11, DX
	MOVQ R9, R11
	CARRY(afterEqual, R11, R11)
	VALUES(Y4, inDouble, BX, AX, R9, CX)
	VALUES(Y5, inSingle, R9, R8, AX, R8)
	ORQ R10, R11
	// Other quotes are plain in values of the other kind only, and values do not overlap.
	ANDNQ BX, R8, BX
	ANDNQ R9, CX, R9
	ORQ R9, BX
	ANDQ R15, BX
	ORQ BX, DX
	MOVQ CX, BX
	ANDQ R8, BX
	ORQ BX, DX
	// No tag ends in a value, CX.
	ORQ R8, CX
	ANDNQ R11, CX, R11
	ORQ R11, DX
	ANDQ CX, R14
	ORQ R14, DX
	MOVQ r+8(FP), R14
	MOVQ 8(R14), R10
	TESTQ R10, R10
	JEQ known
	MOVQ names, R9
	XORL R11, R11 // attributes that are not plain
	ANDNQ R9, CX, R9
	JEQ known
attributes:
	LOOK(R9, R10, R11)
	LOOK(R9, R10, R11)
	TESTQ R9, R9
	JNE attributes
	TESTQ R11, R11
	JNE links
known:
	MOVQ less, R8
	TESTQ DX, DX
	JNE found
	TESTQ R8, R8
	CMOVQNE R8, R12
	CMOVQNE SI, R13
	ADDQ $64, SI
next:
	CMPQ SI, last
	JLS block
	MOVQ SI, AX
	MOVBLZX afterLess, BX
	ANDB afterSlash, BX
	ANDB inTag, BX
	JNE done
before: // the '<' before
	BSRQ R12, AX
	ADDQ R13, AX
done:
	SUBQ b_base+16(FP), AX
	MOVQ AX, n+40(FP)
	VZEROUPPER
	RET
found:
	BLSIQ DX, DX
	DECQ DX
	ANDQ DX, R8
	JEQ before
	MOVQ R8, R12
	MOVQ SI, R13
	JMP before
links: // are plain unless mayBeScript
	TZCNTQ R11, AX
	ADDQ SI, AX
	MOVQ (AX), BX
	SHLQ $16, BX
	CMPQ BX, 16(R14)
	JNE other
	MOVBLZX 6(AX), AX
	CMPB AX, $' '
	JLS other
	CMPB AX, $'&'
	JEQ other
	ORL $0x20, AX
	CMPB AX, $'j'
	JEQ other
	BLSRQ R11, R11
	JNE links
	JMP known
other:
	ORQ R11, DX
	JMP known
