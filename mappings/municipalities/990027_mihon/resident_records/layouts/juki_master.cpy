      *----------------------------------------------------------------
      *  MIHON-SHI  JUMIN KIROKU MASTER          RECFM=FB  LRECL=400
      *  FUJITSU JEF + EBCDIK.  H HEADER, D RESIDENT, T TRAILER
      *----------------------------------------------------------------
       01  JM-RECORD.
           05  JM-KUBUN                PIC X(01).
               88  JM-IS-HEADER        VALUE 'H'.
               88  JM-IS-RESIDENT      VALUE 'D'.
               88  JM-IS-TRAILER       VALUE 'T'.
           05  JM-HEADER.
               10  JH-DANTAI-CD        PIC 9(06).
               10  JH-SAKUSEI-YMD      PIC 9(08).
               10  JH-FILE-ID          PIC X(08).
               10  FILLER              PIC X(377).
           05  JM-JUMIN REDEFINES JM-HEADER.
               10  JJ-JUMIN-NO         PIC 9(10).
               10  JJ-SETAI-NO         PIC 9(09)  COMP-3.
               10  JJ-KANA             PIC X(30).
               10  JJ-SHIMEI           PIC X(42).
               10  JJ-SEIBETSU         PIC 9(01).
               10  JJ-SEINENGAPPI      PIC 9(07)  COMP-3.
               10  JJ-ZOKUGARA         PIC X(02)  OCCURS 4 TIMES.
               10  JJ-JUMIN-YMD        PIC 9(07)  COMP-3.
               10  JJ-IDO-JIYU         PIC X(02).
               10  JJ-IDO-YMD          PIC 9(07)  COMP-3.
               10  JJ-SHORI-YMD        PIC 9(07)  COMP-3.
               10  JJ-YUBIN            PIC 9(07).
               10  JJ-JUSHO            PIC X(62).
               10  JJ-KATAGAKI         PIC X(42).
               10  JJ-KAZEI            PIC S9(09) COMP-3.
               10  JJ-SHIEN            PIC X(01).
               10  JJ-BIKO             PIC X(60).
               10  FILLER              PIC X(108).
           05  JM-TRAILER REDEFINES JM-HEADER.
               10  JT-KENSU            PIC 9(09).
               10  JT-KAZEI-KEI        PIC S9(15) COMP-3.
               10  FILLER              PIC X(382).
