      *  SETAI / KOJIN FILE   RECFM=FB LRECL=240
      *  IBM CCSID 930.  S HOUSEHOLD, K PERSON, T TRAILER
       01  SK-REC.
           03  SK-KBN                  PIC X.
           03  SK-SETAI.
               05  ST-SETAI-NO         PIC 9(9) PACKED-DECIMAL.
               05  ST-NINZU            PIC S9(4) BINARY.
               05  ST-NUSHI-NO         PIC S9(18) COMP.
               05  ST-JUSHO            PIC G(30) DISPLAY-1.
               05  ST-YUBIN            PIC X(7).
               05  ST-SETTEI-YMD       PIC 9(7) COMP-3.
               05  ST-HEIKIN           PIC S9(9)V99 COMP-3.
               05  FILLER              PIC X(147).
           03  SK-KOJIN REDEFINES SK-SETAI.
               05  KJ-SETAI-NO         PIC 9(9) COMP-3.
               05  KJ-KOJIN-NO         PIC S9(18) COMP.
               05  KJ-KANA             PIC X(30).
               05  KJ-SHIMEI           PIC X(44).
               05  KJ-SEI              PIC X.
               05  KJ-SEINEN           PIC 9(7) COMP-3.
               05  KJ-ZOKU             PIC XX.
               05  KJ-JUMIN-YMD        PIC 9(7) COMP-3.
               05  KJ-BIKO             PIC X(40).
               05  KJ-GAKU             PIC S9(9) COMP-3.
               05  FILLER              PIC X(96).
           03  SK-TRAILER REDEFINES SK-SETAI.
               05  TR-SETAI-KENSU      PIC 9(9) COMP-3.
               05  TR-KOJIN-KENSU      PIC 9(9) COMP-3.
               05  TR-GAKU-GOKEI       PIC S9(15) COMP-3.
               05  FILLER              PIC X(221).
