       01  BS-REC.
           03  BS-KBN            PIC X.
           03  BS-DATA.
               05  BD-NO         PIC 9(6).
               05  BD-KENMEI     PIC X(20).
               05  BD-PATH       PIC X(40).
               05  BD-LEN        PIC 9(9).
               05  BD-HASH       PIC X(64).
           03  BS-TRAIL REDEFINES BS-DATA.
               05  BT-KENSU      PIC 9(6).
               05  FILLER        PIC X(133).
