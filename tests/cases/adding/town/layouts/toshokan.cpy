      *  MIHON-SHI  TOSHOKAN                     RECFM=F  LRECL=52
       01  TOSHOKAN.
           05  TS-KUBUN                PIC X(01).
           05  TS-CARD.
               10  TC-RIYOSHA          PIC 9(08).
               10  TC-YOMITE           PIC 9(10).
               10  TC-TEBURI           PIC X(01).
               10  TC-HAKKO            PIC 9(08).
               10  TC-OBOEGAKI         PIC X(20).
               10  TC-MADOGUCHI        PIC X(04).
           05  TS-LOAN REDEFINES TS-CARD.
               10  TL-KARITE           PIC 9(08).
               10  TL-RENBAN           PIC 9(04).
               10  TL-KASHIBI          PIC 9(08).
               10  TL-MODORIBI         PIC 9(08).
               10  TL-ENTAIRYO         PIC 9(05).
               10  FILLER              PIC X(18).
