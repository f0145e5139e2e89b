      *> One record with a field of every usage, and the values that were moved into it. GnuCOBOL writes the bytes; the
      *> reader must find the same places and the same values. See regenerate.sh.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. USAGES.
       ENVIRONMENT DIVISION.
       INPUT-OUTPUT SECTION.
       FILE-CONTROL.
           SELECT DUMP ASSIGN TO "usages.dat"
               ORGANIZATION IS SEQUENTIAL.
       DATA DIVISION.
       FILE SECTION.
       FD  DUMP RECORDING MODE IS F.
       01  DUMP-RECORD.
           05  D-TEXT           PIC X(10).
           05  D-RIGHT          PIC X(10) JUSTIFIED RIGHT.
           05  D-ZONED          PIC 9(5).
           05  D-ZONED-S        PIC S9(5).
           05  D-ZONED-V        PIC S9(3)V99.
           05  D-LEADING        PIC S9(4) SIGN IS LEADING.
           05  D-LEAD-SEP       PIC S9(4) SIGN LEADING SEPARATE.
           05  D-TRAIL-SEP      PIC S9(4) SIGN TRAILING SEPARATE.
           05  D-SCALED-R       PIC 9(3)PPP.
           05  D-SCALED-L       PIC SVPP9(3).
           05  D-PACKED         PIC S9(7)V99 COMP-3.
           05  D-PACKED-U       PIC 9(6) COMP-3.
           05  D-PACKED-LONG    PIC S9(31) COMP-3.
           05  D-UNSIGNED       PIC 9(5) COMP-6.
           05  D-BINARY-1       PIC S9(2) COMP.
           05  D-BINARY-2       PIC S9(4) COMP.
           05  D-BINARY-4       PIC S9(9) BINARY.
           05  D-BINARY-8       PIC S9(18) COMP-4.
           05  D-NATIVE-2       PIC S9(4) COMP-5.
           05  D-NATIVE-8       PIC 9(18) COMP-5.
           05  D-X-3            PIC 9(7) COMP-X.
           05  D-FLOAT          COMP-1.
           05  D-DOUBLE         COMP-2.
           05  D-EDITED         PIC ZZ,ZZ9.99-.
           05  D-FLOATING       PIC $$$,$$9.99.
           05  D-CREDIT         PIC 9(5).99CR.
           05  D-SLASHES        PIC 99/99/99.
           05  D-BLANK          PIC ZZZ9 BLANK WHEN ZERO.
           05  D-PAD            PIC X.
           05  D-SYNC-2         PIC S9(4) COMP SYNC.
           05  D-PAD-2          PIC X.
           05  D-SYNC-GROUP.
               10  D-SYNC-4     PIC S9(9) COMP SYNC.
               10  D-PAD-3      PIC X.
           05  D-SYNC-8         PIC S9(18) COMP SYNC.
           05  D-TABLE OCCURS 3 TIMES.
               10  T-PAD        PIC X.
               10  T-SYNC       PIC S9(4) COMP SYNC.
               10  T-TEXT       PIC X(2).
           05  D-LAST           PIC X(3).
       PROCEDURE DIVISION.
           OPEN OUTPUT DUMP
           INITIALIZE DUMP-RECORD
           MOVE "TEXT" TO D-TEXT
           MOVE "RIGHT" TO D-RIGHT
           MOVE 12345 TO D-ZONED
           MOVE -12345 TO D-ZONED-S
           MOVE -123.45 TO D-ZONED-V
           MOVE -1234 TO D-LEADING
           MOVE -1234 TO D-LEAD-SEP
           MOVE 1234 TO D-TRAIL-SEP
           MOVE 123000 TO D-SCALED-R
           MOVE -0.00123 TO D-SCALED-L
           MOVE -1234567.89 TO D-PACKED
           MOVE 123456 TO D-PACKED-U
           MOVE -1234567890123456789012345678901 TO D-PACKED-LONG
           MOVE 12345 TO D-UNSIGNED
           MOVE -12 TO D-BINARY-1
           MOVE -1234 TO D-BINARY-2
           MOVE 123456789 TO D-BINARY-4
           MOVE -123456789012345678 TO D-BINARY-8
           MOVE -1234 TO D-NATIVE-2
           MOVE 123456789012345678 TO D-NATIVE-8
           MOVE 1234567 TO D-X-3
           MOVE -118.625 TO D-FLOAT
           MOVE 0.15625 TO D-DOUBLE
           MOVE -1234.5 TO D-EDITED
           MOVE 1234.5 TO D-FLOATING
           MOVE -12345.67 TO D-CREDIT
           MOVE 261123 TO D-SLASHES
           MOVE 0 TO D-BLANK
           MOVE "P" TO D-PAD D-PAD-2 D-PAD-3
           MOVE -2 TO D-SYNC-2
           MOVE -4 TO D-SYNC-4
           MOVE -8 TO D-SYNC-8
           MOVE "A" TO T-PAD(1)
           MOVE 1 TO T-SYNC(1)
           MOVE "AA" TO T-TEXT(1)
           MOVE "B" TO T-PAD(2)
           MOVE 2 TO T-SYNC(2)
           MOVE "BB" TO T-TEXT(2)
           MOVE "C" TO T-PAD(3)
           MOVE 3 TO T-SYNC(3)
           MOVE "CC" TO T-TEXT(3)
           MOVE "END" TO D-LAST
           WRITE DUMP-RECORD
           CLOSE DUMP
           STOP RUN.
